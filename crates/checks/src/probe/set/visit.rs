//! The talk with a receiver of security events: a right one, the wrong ones, and a right one again.

use std::sync::Arc;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{EffectsKind, EventSubscription};
use countersign_model::time::Period;
use serde_json::{Map, Value, json};

use super::event::{Event, Maker, alg, short};
use crate::harness::keys::KeyPair;
use crate::live::ask::{Ask, Received};
use crate::probe::effects::{Seen, question, read};
use crate::talk::Talk;

/// One visit.
pub(super) struct Visit<'a> {
    pub(super) maker: Maker,
    pub(super) talk: &'a mut Talk,
    listen: Period,
    feed: Option<Ask>,
}

/// What a canary is reached with.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub(super) subject: String,
    pub(super) session: String,
    pub(super) key: String,
}

/// Sets up what events are made with; why it cannot be done is written down.
pub(super) async fn visit<'a>(
    subject: &str,
    manifest: &'a Manifest,
    talk: &'a mut Talk,
) -> Option<Visit<'a>> {
    let (index, event) = super::subscription(manifest, subject)?;
    talk.setting("place", format!("event[{index}].stream"));
    let maker = maker(manifest, event, talk)?;
    let effects = manifest.effects.as_ref().filter(|it| it.kind == EffectsKind::Feed);
    talk.setting("oracle", if effects.is_some() { "feed" } else { "none" });
    let settle = manifest.effects.as_ref().map_or(Period::default(), |it| it.settle);
    let retry = event.retry_every.unwrap_or_default();
    let listen = Period::from_millis(retry.millis().saturating_mul(3)).max(settle);
    talk.setting("listen_ms", listen.millis());
    let means = talk.means()?;
    let feed = effects.map(|it| question(it, means.secrets.get(&it.auth_ref), talk.now()));
    Some(Visit { maker, talk, listen, feed })
}

fn maker(manifest: &Manifest, event: &EventSubscription, talk: &mut Talk) -> Option<Maker> {
    let Some(stream) = &event.stream else {
        let error =
            "the manifest has no `stream` for these events: whom they are for, and our token";
        talk.fact("setup", "manifest", json!({ "error": error }));
        return None;
    };
    let means = talk.means()?;
    let Some(bearer) = means.secrets.get(&stream.auth_ref).map(str::to_owned) else {
        let error = format!("the server holds no secret named `{}`", stream.auth_ref);
        talk.fact("setup", "server", json!({ "error": error }));
        return None;
    };
    let harness = talk.harness()?;
    let transmitter = harness.transmitter(manifest.integration.id.as_str());
    let keys = transmitter.key(alg(stream)).zip(KeyPair::generate(alg(stream)));
    let Some((key, foreign)) = keys else {
        talk.fact("chance", "system", json!({ "error": "this machine gives no randomness" }));
        return None;
    };
    let stem = talk.fresh_name("set-")?;
    let revokes = event.types.iter().find(|it| short(it) == "session-revoked");
    let kind = revokes.or(event.types.first()).cloned().unwrap_or_default();
    Some(Maker {
        issuer: transmitter.issuer().to_owned(),
        foreign: Arc::new(foreign.named(key.kid())),
        key,
        audience: stream.audience.clone(),
        endpoint: event.endpoint.to_string(),
        bearer,
        subject: format!("nobody-{stem}"),
        stem,
        kind,
        now: talk.now(),
    })
}

impl Visit<'_> {
    /// Sends a right event, the wrong ones, and a right one; reads which had an effect.
    pub(super) async fn run(
        &mut self,
        wrong: impl Fn(&Maker, &Event) -> Option<Vec<(&'static str, Event)>>,
    ) {
        let Some(control) = self.maker.right("control") else { return };
        let Some(shown) = self.right("control", &control).await else { return };
        self.maker.now = self.talk.now();
        let Some(wrong) = wrong(&self.maker, &control) else { return };
        let names: Vec<Value> = wrong.iter().map(|it| it.0.into()).collect();
        self.talk.setting("wrong", names);
        for (name, event) in &wrong {
            self.talk.setting(&format!("repeat.{name}"), self.maker.curl(event));
            let ask = self.maker.ask(event).hostile();
            self.talk.send(&format!("wrong.{name}"), ask).await;
        }
        self.listen().await;
        self.maker.now = self.talk.now();
        let Some(closing) = self.maker.right("closing") else { return };
        let last = self.right("closing", &closing).await.flatten();
        // The last look shows everything that came before the closing event.
        if let Some(answer) = last.or(shown) {
            self.count(&answer, &control, &wrong);
        }
    }

    /// Sends a right event and waits for its effect. None means that there is no use going on.
    pub(super) async fn right(&mut self, label: &str, event: &Event) -> Option<Option<Received>> {
        self.talk.setting(&format!("repeat.{label}"), self.maker.curl(event));
        if !self.talk.send(label, self.maker.ask(event)).await.is_success() {
            return None;
        }
        let Some(feed) = &self.feed else { return Some(None) };
        let fits = |it: &Received| seen(it).is_some_and(|it| 0 < it.count(&event.jti).unwrap_or(0));
        let label = format!("{label}-effect");
        let answer = self.talk.poll(&label, feed, times(self.listen), fits).await;
        self.talk.fact(&label, "effects", json!({ "seen": answer.is_some() }));
        answer.map(Some)
    }

    /// Waits until whatever an event led to has shown.
    pub(super) async fn listen(&mut self) {
        self.talk.pause("listen", self.listen).await;
    }

    fn count(&mut self, answer: &Received, control: &Event, wrong: &[(&'static str, Event)]) {
        let value = match read(EffectsKind::Feed, answer) {
            Ok(it) => {
                let count = |jti: &str| it.count(jti).unwrap_or(0);
                let of = wrong.iter().filter(|it| it.1.jti != control.jti);
                let of: Map<String, Value> =
                    of.map(|(name, it)| ((*name).to_owned(), count(&it.jti).into())).collect();
                json!({ "control": count(&control.jti), "wrong": of })
            }
            Err(error) => json!({ "error": error }),
        };
        self.talk.fact("effects", "effects", value);
    }

    /// Signs a canary in. Why it cannot be done is written down.
    pub(super) async fn open(&mut self, label: &str, event: &EventSubscription) -> Option<Opened> {
        let canary = event.stream.as_ref().and_then(|it| it.canary.as_ref());
        let Some(canary) = canary else {
            let error = "the manifest declares no `stream.canary`: nobody's access can be tried";
            self.talk.fact("setup", "manifest", json!({ "error": error }));
            return None;
        };
        let means = self.talk.means()?;
        let Some(secret) = means.secrets.get(&canary.auth_ref) else {
            let error = format!("the server holds no secret named `{}`", canary.auth_ref);
            self.talk.fact("setup", "server", json!({ "error": error }));
            return None;
        };
        let ask = Ask::parse(&canary.open)?.bearer(Some(secret));
        let answer = self.talk.send(label, ask).await;
        let json = answer.json().unwrap_or_default();
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        let subject = text("subject").or_else(|| canary.subject.clone());
        let opened = answer.is_success().then_some(()).and_then(|()| {
            Some(Opened { subject: subject?, session: text("session")?, key: text("key")? })
        });
        let Some(opened) = opened else {
            let error = format!(
                "`{}` answers {} and no `session`, `key` and `subject`",
                canary.open,
                answer.words()
            );
            self.talk.fact("setup", "partner", json!({ "error": error }));
            return None;
        };
        self.talk.hide(&opened.session);
        self.talk.hide(&opened.key);
        Some(opened)
    }
}

fn seen(answer: &Received) -> Option<Seen> {
    read(EffectsKind::Feed, answer).ok()
}

/// How long to wait for the effect of a right event, and how often to look.
pub(super) fn times(listen: Period) -> (Period, Period) {
    let limit = Period::from_millis(listen.millis().saturating_mul(2).max(LIMIT_MS_MIN));
    (limit, Period::from_millis((listen.millis() / 8).clamp(EVERY_MS_MIN, EVERY_MS_MAX)))
}

const LIMIT_MS_MIN: u64 = 1_000;
const EVERY_MS_MIN: u64 = 50;
const EVERY_MS_MAX: u64 = 5_000;
