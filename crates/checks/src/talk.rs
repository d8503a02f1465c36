//! What a check may touch while it looks. Everything it learns goes into the transcript.

mod raw;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use countersign_model::check::transcript::{Body, Request};
use countersign_model::check::{Answer, Entry, Exchange, Fact, Transcript, Wait};
use countersign_model::declare::Manifest;
use countersign_model::declare::words::Slug;
use countersign_model::review::waiver::Waiver;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::Digest;
use serde_json::{Value, json};

use crate::canaries::Keeping;
use crate::harness::Harness;
use crate::live::ask::{Ask, Received};
use crate::live::client::Client;
use crate::live::clock::Clock;
use crate::live::entropy;
use crate::once::Once;
use crate::platform::{ClientCopy, CopyTerms, Platform, PlatformError, WebhookCopy};
use crate::redact::Redactor;
use crate::run::Keeper;
use crate::secrets::Secrets;
use crate::undo::Undo;

/// How much one check writes down at most.
const ENTRIES_MAX: usize = 2_000;

/// Everything that the checks of one run share.
#[derive(Debug)]
pub struct Means {
    /// What is looked at.
    pub manifest: Arc<Manifest>,
    /// Its digest.
    pub digest: Digest,
    /// The way to the partner's hosts.
    pub client: Client,
    /// The test tenant.
    pub platform: Option<Arc<dyn Platform>>,
    /// Our own side: what partners call while they are looked at.
    pub harness: Option<Arc<Harness>>,
    /// The production tenant; it is only read.
    pub production: Option<Arc<dyn Platform>>,
    /// Where each repository lies on this machine.
    pub sources: BTreeMap<String, PathBuf>,
    /// Secrets by name.
    pub secrets: Secrets,
    /// The figures of the profile.
    pub settings: BTreeMap<String, Value>,
    /// The exceptions in force.
    pub waivers: Vec<Waiver>,
    /// Since when a certificate has been in force; none before the first.
    pub certified_since: Option<Timestamp>,
    /// Since when this manifest is at work at the test tenant; what was before is another's.
    pub observed_since: Option<Timestamp>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Salts digests of what is taken out.
    pub salt: [u8; 32],
    /// The rotations of this run, by identity.
    pub rotations: Once,
    /// The looks at hosts of this run, by host.
    pub looks: Once,
    /// Who keeps what is tried again long after.
    pub keeper: Option<Keeper>,
}

/// What a check may touch while it looks.
#[derive(Debug)]
pub struct Talk {
    transcript: Transcript,
    now: Timestamp,
    redactor: Redactor,
    means: Option<Arc<Means>>,
    undo: Vec<Undo>,
    undo_asks: Vec<Ask>,
    kept: Option<Keeping>,
}

impl Talk {
    /// An empty talk of this check about this subject, with nobody to talk to. `salt` hides what could be guessed.
    pub fn new(check: &str, subject: &str, manifest: Digest, now: Timestamp, salt: &[u8]) -> Self {
        let salt = *Digest::of(salt).as_bytes();
        Self {
            transcript: Transcript::new(check, subject, manifest),
            now,
            redactor: Redactor::new(salt, []),
            means: None,
            undo: Vec::new(),
            undo_asks: Vec::new(),
            kept: None,
        }
    }

    /// An empty talk with the means of a run.
    pub fn live(check: &str, subject: &str, means: Arc<Means>) -> Self {
        let mut transcript = Transcript::new(check, subject, means.digest);
        if let Some(it) = means.settings.get("status_only") {
            transcript.settings.insert("status_only".to_owned(), it.clone());
        }
        Self {
            transcript,
            now: means.clock.now(),
            redactor: Redactor::new(means.salt, means.secrets.values()),
            means: Some(means),
            undo: Vec::new(),
            undo_asks: Vec::new(),
            kept: None,
        }
    }

    /// Sets what the judge needs to know beside what is seen.
    pub fn settings(&mut self, settings: BTreeMap<String, Value>) {
        self.transcript.settings.extend(settings);
    }

    /// Sets one of them.
    pub fn setting(&mut self, name: &str, value: impl Into<Value>) {
        self.transcript.settings.insert(name.to_owned(), value.into());
    }

    /// A figure of the profile, such as `CTS-CRD-02.max_lifetime_seconds`; the judge is told it too.
    pub fn figure(&mut self, name: &str) -> Option<u64> {
        let value = self.means.as_ref()?.settings.get(name)?.clone();
        let number = value.as_u64();
        self.transcript.settings.insert(name.to_owned(), value);
        number
    }

    /// What the run is made with; none in a rehearsal.
    pub fn means(&self) -> Option<Arc<Means>> {
        self.means.as_ref().map(Arc::clone)
    }

    /// Since when this manifest is at work at the test tenant, where that is known.
    pub fn observed_since(&self) -> Option<Timestamp> {
        self.means.as_ref()?.observed_since
    }

    /// Who keeps what is tried again long after; none where nobody does.
    pub fn keeper(&self) -> Option<&Keeper> {
        self.means.as_ref()?.keeper.as_ref()
    }

    /// Hands over what is to be tried again later. It is no part of the transcript.
    pub(crate) fn keep(&mut self, keeping: Keeping) {
        self.kept = Some(keeping);
    }

    pub(crate) fn take_kept(&mut self) -> Option<Keeping> {
        self.kept.take()
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.means.as_ref().map_or(self.now, |it| it.clock.now())
    }

    /// Milliseconds of a stopwatch that never goes back.
    pub fn stopwatch_ms(&self) -> u64 {
        self.means.as_ref().map_or(0, |it| it.clock.monotonic_ms())
    }

    /// A name that nobody has used before, with this beginning.
    pub fn fresh_name(&mut self, prefix: &str) -> Option<String> {
        let Some(bytes) = entropy::random::<12>() else {
            self.fact("chance", "system", json!({ "error": "this machine gives no randomness" }));
            return None;
        };
        Some(format!("{prefix}{}", &Digest::of(&bytes).hex()[..20]))
    }

    /// The test tenant; that there is none is written down.
    pub fn platform(&mut self) -> Option<Arc<dyn Platform>> {
        let platform = self.means.as_ref().and_then(|it| it.platform.as_ref().map(Arc::clone));
        if platform.is_none() {
            self.fact("platform", "platform", json!({ "error": "no platform is set up" }));
        }
        platform
    }

    /// Our own side of the check; that there is none is written down.
    pub fn harness(&mut self) -> Option<Arc<Harness>> {
        let harness = self.means.as_ref().and_then(|it| it.harness.as_ref().map(Arc::clone));
        if harness.is_none() {
            let error = "no harness is set up: partners cannot call this checker";
            self.fact("harness", "harness", json!({ "error": error }));
        }
        harness
    }

    /// Writes down something that was read.
    #[expect(clippy::needless_pass_by_value, reason = "every caller makes the value for this")]
    pub fn fact(&mut self, label: &str, source: &str, value: Value) {
        let fact = Fact {
            label: label.to_owned(),
            at: self.now(),
            source: source.to_owned(),
            value: self.redactor.value(&value),
        };
        self.write(Entry::Fact(fact));
    }

    /// Writes down what a platform said, or why it said nothing.
    pub fn heard<T>(
        &mut self,
        label: &str,
        answer: Result<T, PlatformError>,
        show: impl FnOnce(&T) -> Value,
    ) -> Option<T> {
        match answer {
            Ok(it) => {
                let value = show(&it);
                self.fact(label, "platform", value);
                Some(it)
            }
            Err(it) => {
                let error = format!("{it}: {}", it.source);
                self.fact(label, "platform", json!({ "error": error }));
                None
            }
        }
    }

    /// Takes over what was written down elsewhere in this run: two checks may look at one thing.
    pub(crate) fn adopt(&mut self, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            self.write(entry);
        }
    }

    /// Sends a request to the partner, and writes down both sides.
    pub async fn send(&mut self, label: &str, ask: Ask) -> Received {
        let (received, exchange) = self.exchange(label, ask).await;
        self.write(Entry::Exchange(exchange));
        received
    }

    /// Sends a request that is one of many alike, and writes nothing down: what the many came to is a fact.
    pub(crate) async fn send_unwritten(&mut self, ask: Ask) -> Received {
        self.exchange("one-of-many", ask).await.0
    }

    /// Sends a request, and takes out of everything that is written down what `secrets` finds in the answer.
    pub(crate) async fn send_hiding(
        &mut self,
        label: &str,
        ask: Ask,
        secrets: impl Fn(&Received) -> Vec<String>,
    ) -> Received {
        let (received, mut exchange) = self.exchange(label, ask).await;
        for secret in secrets(&received) {
            self.hide(&secret);
        }
        exchange.answer = self.answer(&received);
        self.write(Entry::Exchange(exchange));
        received
    }

    /// Asks again and again until the answer fits or the time is over, and writes down the last answer alone.
    pub async fn poll(
        &mut self,
        label: &str,
        ask: &Ask,
        (limit, every): (Period, Period),
        fits: impl Fn(&Received) -> bool + Send,
    ) -> Option<Received> {
        let start = self.stopwatch_ms();
        loop {
            let (received, exchange) = self.exchange(label, ask.clone()).await;
            let fit = fits(&received);
            let spent = self.stopwatch_ms().saturating_sub(start);
            if fit || limit.millis() <= spent {
                self.write(Entry::Exchange(exchange));
                return fit.then_some(received);
            }
            self.pause(label, every).await;
        }
    }

    /// Waits, and writes down how long.
    pub async fn pause(&mut self, label: &str, period: Period) {
        let at = self.now();
        let start = self.stopwatch_ms();
        tokio::time::sleep(period.std()).await;
        let waited_ms = self.stopwatch_ms().saturating_sub(start);
        if let Some(Entry::Wait(last)) = self.transcript.entries.last_mut()
            && last.label == label
        {
            last.waited_ms = last.waited_ms.saturating_add(waited_ms);
            return;
        }
        self.write(Entry::Wait(Wait { label: label.to_owned(), at, waited_ms }));
    }

    /// From now on this is taken out of everything that is written down.
    pub fn hide(&mut self, secret: &str) {
        self.redactor.learn(secret);
    }

    /// Something personal, so that equality can be judged and nothing can be read.
    pub fn hidden(&self, text: &str) -> String {
        self.redactor.digest(text.trim().to_lowercase().as_bytes()).to_string()
    }

    /// Notes down what has to be undone, before it is done.
    pub fn undo_later(&mut self, undo: Undo) {
        self.undo.push(undo);
    }

    /// Notes down a request to the partner that undoes what this check is about to do there.
    pub fn undo_by(&mut self, ask: Ask) {
        self.undo_asks.push(ask);
    }

    /// Makes a throw-away copy of a client that is deleted at the end, whatever happens.
    pub async fn copy_client(
        &mut self,
        platform: &dyn Platform,
        client: &str,
    ) -> Option<ClientCopy> {
        self.copy_client_on(platform, client, CopyTerms::default()).await
    }

    /// Makes one on terms of its own.
    pub async fn copy_client_on(
        &mut self,
        platform: &dyn Platform,
        client: &str,
        terms: CopyTerms,
    ) -> Option<ClientCopy> {
        let copy = platform.copy_client_on(client, &terms).await;
        if let Ok(it) = &copy {
            self.undo_later(Undo::DeleteCopy(it.client_id.clone()));
        }
        self.heard("copy", copy, |it| json!({ "client": it.client_id, "of": client }))
    }

    /// Makes a throw-away copy of a webhook that is deleted at the end, whatever happens.
    pub async fn copy_webhook(
        &mut self,
        platform: &dyn Platform,
        integration: &Slug,
        webhook: &str,
    ) -> Option<WebhookCopy> {
        let copy = platform.copy_webhook(integration, webhook).await;
        if let Ok(it) = &copy {
            self.undo_later(Undo::DeleteWebhookCopy(integration.clone(), it.id.clone()));
        }
        self.heard("copy", copy, |it| json!({ "webhook": it.id, "of": webhook }))
    }

    /// Undoes everything, the last first.
    pub(crate) async fn unwind(&mut self) {
        while let (Some(ask), Some(means)) = (self.undo_asks.pop(), self.means()) {
            let words = format!("{ask:?}");
            let received = means.client.send(ask, self.now()).await;
            let value = if received.is_success() {
                json!({ "undone": words })
            } else {
                json!({ "error": format!("{words}: {}", received.words()) })
            };
            self.fact(crate::check::UNDO, "partner", value);
        }
        let Some(platform) = self.means().and_then(|it| it.platform.as_ref().map(Arc::clone))
        else {
            return;
        };
        while let Some(undo) = self.undo.pop() {
            let value = match undo.run(platform.as_ref()).await {
                Ok(()) => json!({ "undone": format!("{undo:?}") }),
                Err(error) => json!({ "error": error }),
            };
            self.fact(crate::check::UNDO, "platform", value);
        }
    }

    /// What was written down so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// The transcript.
    pub fn finish(self) -> Transcript {
        self.transcript
    }

    async fn exchange(&mut self, label: &str, ask: Ask) -> (Received, Exchange) {
        let request = self.shown(&ask);
        let (at, start) = (self.now(), self.stopwatch_ms());
        let received = match self.means() {
            Some(means) => means.client.send(ask, at).await,
            None => Received::nobody(),
        };
        let elapsed_ms = self.stopwatch_ms().saturating_sub(start);
        let answer = self.answer(&received);
        (received, Exchange { label: label.to_owned(), at, elapsed_ms, request, answer })
    }

    fn shown(&self, ask: &Ask) -> Request {
        Request {
            method: ask.method.clone(),
            url: self.redactor.text(&ask.url),
            headers: self.headers(&ask.headers),
            body: self.body(&ask.body),
        }
    }

    fn answer(&self, received: &Received) -> Answer {
        match &received.failure {
            Some((kind, detail)) => {
                Answer::Failure { kind: *kind, detail: self.redactor.text(detail) }
            }
            None => Answer::Response {
                status: received.status,
                headers: self.headers(&received.headers),
                body: self.body(&received.body),
            },
        }
    }

    fn headers(&self, headers: &[(String, String)]) -> Vec<(String, String)> {
        let shown = headers.iter().map(|(name, value)| {
            let value: String = value.chars().take(2_000).collect();
            (name.clone(), self.redactor.header(name, &value))
        });
        shown.collect()
    }

    fn body(&self, bytes: &[u8]) -> Body {
        if bytes.is_empty() {
            return Body::default();
        }
        let (text, cut) = self.redactor.body(bytes);
        Body { text, bytes: bytes.len() as u64, digest: Some(self.redactor.digest(bytes)), cut }
    }

    fn write(&mut self, entry: Entry) {
        if self.transcript.entries.len() < ENTRIES_MAX {
            self.transcript.entries.push(entry);
        } else if self.transcript.entries.len() == ENTRIES_MAX {
            self.transcript.entries.push(Entry::Fact(Fact {
                label: crate::check::CUT_SHORT.to_owned(),
                at: self.now,
                source: "run".to_owned(),
                value: json!({ "error": format!("more than {ENTRIES_MAX} entries") }),
            }));
        }
    }
}
