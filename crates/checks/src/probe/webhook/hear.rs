//! The talk with a receiver: a right event, the wrong ones, and a right one again.
//!
//! The last one shows that the receiver and what shows its effects were alive the whole time: what
//! had no effect by then has none.

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{
    Effects, EffectsKind, EventSubscription, WebhookKey, WebhookScheme,
};
use countersign_model::time::Period;
use countersign_seal::SigningKey;
use countersign_seal::scheme::standard_webhooks::{SendKey, WebhookError};
use serde_json::{Value, json};

use super::canary::{Message, Workshop};
use super::event;
use crate::live::ask::{Ask, Received};
use crate::live::entropy;
use crate::probe::effects::{Seen, question, read};
use crate::talk::Talk;

/// The longest time that a receiver may look back, where the profile does not say.
const TOLERANCE_SECONDS: u64 = 300;

/// What a check sends.
pub(super) struct Plan {
    /// How old the right event is that begins, in seconds, for this window.
    pub(super) age: fn(i64) -> i64,
    /// The wrong ones, each with its name, made with the right one in hand.
    pub(super) wrong: Wrong,
}

/// The right event that begins is as old as a delivery that took no time.
pub(super) fn fresh(_: i64) -> i64 {
    0
}

/// The right event that begins is nearly as old as is allowed; where that is seconds, its own way
/// through the network takes them.
pub(super) fn four_fifths(window_seconds: i64) -> i64 {
    if window_seconds < 60 { 0 } else { window_seconds / 5 * 4 }
}

/// Messages, each with its name.
pub(super) type Named = Vec<(&'static str, Message)>;
/// How wrong messages are made.
pub(super) type Wrong = fn(&Workshop<'_>, &Message) -> Result<Named, WebhookError>;

/// Talks with the receiver of a subscription.
pub(super) async fn hear(subject: &str, manifest: &Manifest, talk: &mut Talk, plan: &Plan) {
    let Some((index, event)) = event(manifest, subject) else { return };
    talk.setting("place", format!("event[{index}]"));
    let scheme = serde_json::to_value(event.signing.scheme).unwrap_or_default();
    talk.setting("scheme", scheme);
    if event.signing.scheme != WebhookScheme::StandardWebhooks {
        return;
    }
    let Some(key) = key(manifest, event, talk).await else { return };
    let Some(workshop) = workshop(event, key, talk) else { return };
    let mut visit = Visit::new(manifest, event, workshop, talk);
    if let Err(error) = visit.run(plan).await {
        talk.fact("message", "check", json!({ "error": error.to_string() }));
    }
}

async fn key(
    manifest: &Manifest,
    event: &EventSubscription,
    talk: &mut Talk,
) -> Option<SigningKey> {
    if event.signing.key != WebhookKey::Ed25519 {
        let error = "no platform hands out a shared secret for a check";
        talk.fact("key", "platform", json!({ "error": error }));
        return None;
    }
    let platform = talk.platform()?;
    let key = platform.signing_key(&manifest.integration.id).await;
    talk.heard("key", key, |it| json!({ "kid": it.key_id().as_str() }))
}

fn workshop<'a>(
    event: &'a EventSubscription,
    key: SigningKey,
    talk: &mut Talk,
) -> Option<Workshop<'a>> {
    let stem = talk.fresh_name("msg_")?;
    let foreign = SigningKey::from_seed(entropy::random()?);
    let tolerance = talk.figure("CTS-WHK-02.tolerance_seconds").unwrap_or(TOLERANCE_SECONDS);
    let window = event.signing.replay_window.seconds().min(tolerance);
    talk.setting("window_seconds", window);
    Some(Workshop {
        event,
        key: SendKey::Private(key),
        foreign: SendKey::Private(foreign),
        stem,
        window_seconds: i64::try_from(window).unwrap_or(i64::MAX),
        now: talk.now(),
    })
}

/// One visit at a receiver.
struct Visit<'a> {
    workshop: Workshop<'a>,
    endpoint: String,
    oracle: Option<Oracle>,
    listen: Period,
    talk: &'a mut Talk,
}

/// What shows the effects.
struct Oracle {
    kind: EffectsKind,
    ask: Ask,
}

impl Oracle {
    fn new(effects: &Effects, talk: &Talk) -> Self {
        let means = talk.means();
        let secret = means.as_ref().and_then(|it| it.secrets.get(&effects.auth_ref));
        Self { kind: effects.kind, ask: question(effects, secret, talk.now()) }
    }

    fn seen(&self, answer: &Received) -> Option<Seen> {
        read(self.kind, answer).ok()
    }
}

impl<'a> Visit<'a> {
    fn new(
        manifest: &Manifest,
        event: &EventSubscription,
        workshop: Workshop<'a>,
        talk: &'a mut Talk,
    ) -> Self {
        let effects = manifest.effects.as_ref();
        let kind = match effects.map(|it| it.kind) {
            Some(EffectsKind::Feed) => "feed",
            Some(EffectsKind::Object) => "object",
            None => "none",
        };
        talk.setting("oracle", kind);
        let settle = effects.map_or(Period::default(), |it| it.settle);
        let retry = event.retry_every.unwrap_or_default();
        let listen = Period::from_millis(retry.millis().saturating_mul(3)).max(settle);
        talk.setting("listen_ms", listen.millis());
        let oracle = effects.map(|it| Oracle::new(it, talk));
        Self { workshop, endpoint: event.endpoint.to_string(), oracle, listen, talk }
    }

    async fn run(&mut self, plan: &Plan) -> Result<(), WebhookError> {
        let before = self.version("before").await;
        self.workshop.now = self.talk.now();
        let age = (plan.age)(self.workshop.window_seconds);
        let control = self.workshop.at("control", age.saturating_neg())?;
        self.talk.setting("repeat.control", control.curl(&self.endpoint));
        let Some(shown) = self.right("control", &control, before.as_deref()).await else {
            return Ok(());
        };
        if self.is_object() {
            self.talk.pause("quiet", self.listen).await;
            self.version("quiet").await;
        }
        self.workshop.now = self.talk.now();
        let wrong = (plan.wrong)(&self.workshop, &control)?;
        let names: Vec<Value> = wrong.iter().map(|it| it.0.into()).collect();
        self.talk.setting("wrong", names);
        for (name, message) in &wrong {
            self.talk.setting(&format!("repeat.{name}"), message.curl(&self.endpoint));
            let ask = message.ask(&self.endpoint).hostile();
            self.talk.send(&format!("wrong.{name}"), ask).await;
        }
        self.talk.pause("listen", self.listen).await;
        let after = self.look(&control, &wrong).await;
        self.workshop.now = self.talk.now();
        let closing = self.workshop.right("closing")?;
        let last = after.or_else(|| self.version_of(shown.as_ref()?));
        let shown = self.right("closing", &closing, last.as_deref()).await;
        if let Some(Some(answer)) = shown
            && !self.is_object()
        {
            self.count(&answer, &control, &wrong);
        }
        Ok(())
    }

    fn is_object(&self) -> bool {
        self.oracle.as_ref().is_some_and(|it| it.kind == EffectsKind::Object)
    }

    /// Sends a right event and waits for its effect. None means that there is no use going on;
    /// inside is what showed the effect, where anything shows effects.
    async fn right(
        &mut self,
        label: &str,
        message: &Message,
        before: Option<&str>,
    ) -> Option<Option<Received>> {
        let ask = message.ask(&self.endpoint);
        if !self.talk.send(label, ask).await.is_success() {
            return None;
        }
        let Some(oracle) = &self.oracle else { return Some(None) };
        let fits = |it: &Received| match oracle.seen(it) {
            Some(Seen::Feed(ids)) => ids.contains(&message.id),
            Some(Seen::Object(version)) => before.is_some_and(|it| it != version),
            None => false,
        };
        let label = format!("{label}-effect");
        let times = times(self.listen);
        let answer = self.talk.poll(&label, &oracle.ask, times, fits).await;
        let version = answer.as_ref().and_then(|it| self.version_of(it));
        let value = json!({ "seen": answer.is_some(), "version": version });
        self.talk.fact(&label, "effects", value);
        answer.map(Some)
    }

    fn version_of(&self, answer: &Received) -> Option<String> {
        match self.oracle.as_ref()?.seen(answer)? {
            Seen::Feed(_) => None,
            Seen::Object(version) => Some(version),
        }
    }

    /// The version of the canary object, where there is one.
    async fn version(&mut self, label: &str) -> Option<String> {
        let oracle = self.oracle.as_ref().filter(|it| it.kind == EffectsKind::Object)?;
        let answer = self.talk.send(&format!("{label}-object"), oracle.ask.clone()).await;
        let (value, version) = match oracle.seen(&answer) {
            Some(Seen::Object(version)) => (json!({ "version": version }), Some(version)),
            _ => (json!({ "error": answer.words() }), None),
        };
        self.talk.fact(label, "effects", value);
        version
    }

    /// Which effects there are now.
    async fn look(&mut self, control: &Message, wrong: &Named) -> Option<String> {
        let ask = self.oracle.as_ref()?.ask.clone();
        let answer = self.talk.send("effects", ask).await;
        self.count(&answer, control, wrong);
        self.version_of(&answer)
    }

    /// Writes down which effects an answer shows.
    fn count(&mut self, answer: &Received, control: &Message, wrong: &Named) {
        let Some(oracle) = &self.oracle else { return };
        let value = match read(oracle.kind, answer) {
            Ok(Seen::Feed(ids)) => {
                let count = |id: &str| ids.iter().filter(|it| *it == id).count();
                let wrong = wrong.iter().filter(|it| it.1.id != control.id);
                let wrong: serde_json::Map<String, Value> =
                    wrong.map(|(name, it)| ((*name).to_owned(), count(&it.id).into())).collect();
                json!({ "control": count(&control.id), "wrong": wrong })
            }
            Ok(Seen::Object(version)) => json!({ "version": version }),
            Err(error) => json!({ "error": error }),
        };
        self.talk.fact("effects", "effects", value);
    }
}

/// How long to wait for the effect of a right event, and how often to look.
fn times(listen: Period) -> (Period, Period) {
    let limit = Period::from_millis(listen.millis().saturating_mul(2).max(LIMIT_MS_MIN));
    (limit, Period::from_millis((listen.millis() / 8).clamp(EVERY_MS_MIN, EVERY_MS_MAX)))
}

const LIMIT_MS_MIN: u64 = 1_000;
const EVERY_MS_MIN: u64 = 50;
const EVERY_MS_MAX: u64 = 5_000;
