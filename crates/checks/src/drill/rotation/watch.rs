//! Rotates, and watches: what is published, what the partner says, what its own requests come to.

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Identity, Method};
use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};

use super::keys::{self, PublishedKey};
use super::requests::Requests;
use crate::live::ask::Ask;
use crate::platform::Platform;
use crate::talk::Talk;

/// How often the published keys are looked at while a rotation is under way.
const LOOK_EVERY: Period = Period::from_millis(300);
/// In a long rotation they are looked at this many times at most.
const LOOKS_MAX: u64 = 200;
/// The longest rotation that a run watches.
pub(crate) const FINISH_MAX: Period = Period::from_seconds(20 * 60);
/// How far back the log is asked which key was in use.
const BEFORE: Period = Period::from_seconds(60);
/// How many requests after the finish are enough.
const ENOUGH: u64 = 4;
/// How long they are waited for.
const AFTER_MAX: Period = Period::from_seconds(6);

/// Watches the one rotation of this run.
pub(crate) async fn watch(talk: &mut Talk, manifest: &Manifest, identity: &Identity) {
    let Some(means) = talk.means() else { return };
    let entries = means.rotations.once(identity.id.as_str(), || async {
        let name = talk.transcript().check.clone();
        let mut own = Talk::live(&name, identity.id.as_str(), std::sync::Arc::clone(&means));
        let _stopped = rotate(&mut own, manifest, identity).await;
        own.finish().entries
    });
    let entries = entries.await;
    talk.adopt(entries);
}

/// Nothing means: it stopped, and the transcript says where.
async fn rotate(talk: &mut Talk, manifest: &Manifest, identity: &Identity) -> Option<()> {
    let rotation = identity.rotation.as_ref()?;
    if rotation.method == Method::Manual {
        talk.fact("method", "manifest", json!({ "method": "manual" }));
        return None;
    }
    let platform = talk.platform()?;
    let means = talk.means()?;
    let Some(jwks) = identity.jwks.as_ref().map(ToString::to_string) else {
        return stop(talk, "the manifest names no key set (`jwks`) in which a new key would show");
    };
    if FINISH_MAX < rotation.finish {
        let limit = format!(
            "a rotation that takes up to {} is longer than a run may watch ({FINISH_MAX})",
            rotation.finish
        );
        return stop(talk, &limit);
    }
    let Some(secret) = super::secret(manifest, &means.secrets) else {
        let name = super::secret_name(manifest);
        return stop(talk, &format!("the server holds no secret named `{name}`"));
    };
    let before = published(talk, "keys-before", &jwks, 0).await?;
    let client = identity.client_id();
    requests(talk, platform.as_ref(), "requests-before", (client, talk.now()), 0).await?;
    let Some(ask) = Ask::parse(&rotation.start) else {
        return stop(talk, "`rotation.start` is no call");
    };
    let (start, began) = (talk.now(), talk.stopwatch_ms());
    let answer = talk.send("rotate", ask.bearer(Some(secret))).await;
    if !answer.is_success() {
        return None;
    }
    let window = Window { client, start, began, finish: rotation.finish };
    window.follow(talk, &jwks, before).await?;
    window.business(talk, platform.as_ref()).await
}

fn stop(talk: &mut Talk, why: &str) -> Option<()> {
    talk.fact("stopped", "run", json!({ "error": why }));
    None
}

struct Window<'a> {
    client: &'a str,
    start: Timestamp,
    began: u64,
    finish: Period,
}

impl Window<'_> {
    /// Looks at the published keys until the rotation must be over.
    async fn follow(&self, talk: &mut Talk, jwks: &str, before: Vec<PublishedKey>) -> Option<()> {
        let every = LOOK_EVERY.max(Period::from_millis(self.finish.millis() / LOOKS_MAX));
        let mut last = before;
        loop {
            let spent = talk.stopwatch_ms().saturating_sub(self.began);
            let left = self.finish.millis().saturating_sub(spent);
            if left == 0 {
                break;
            }
            talk.pause("rotation", every.min(Period::from_millis(left))).await;
            let spent = talk.stopwatch_ms().saturating_sub(self.began);
            // One look that fails is a look less; the last one counts.
            let means = talk.means()?;
            let answer = means.client.send(Ask::get(jwks), talk.now()).await;
            let Some(keys) = answer.is_success().then(|| keys::read(&answer.body)).flatten() else {
                continue;
            };
            if keys != last {
                talk.fact("keys", "partner", shown(&keys, spent));
                last = keys;
            }
        }
        let spent = talk.stopwatch_ms().saturating_sub(self.began);
        published(talk, "keys-after", jwks, spent).await.map(|_| ())
    }

    /// Reads the platform's log until there is enough to see how it goes on.
    async fn business(&self, talk: &mut Talk, platform: &dyn Platform) -> Option<()> {
        let finish = self.finish.millis();
        let limit = finish + AFTER_MAX.millis();
        loop {
            let log = platform.token_log(self.client, self.start - BEFORE).await;
            let read = log.as_ref().ok().map(|it| Requests::read(it, self.start, finish));
            let spent = talk.stopwatch_ms().saturating_sub(self.began);
            let enough = read.as_ref().is_some_and(|it| ENOUGH <= it.after());
            if enough || limit <= spent || log.is_err() {
                let read = read.unwrap_or_default();
                return talk.heard("requests", log, |_| value(&read)).map(|_| ());
            }
            talk.pause("business", LOOK_EVERY).await;
        }
    }
}

/// Asks for the published keys, and writes both sides down.
async fn published(
    talk: &mut Talk,
    label: &str,
    jwks: &str,
    after_ms: u64,
) -> Option<Vec<PublishedKey>> {
    let answer = talk.send(&format!("{label}-answer"), Ask::get(jwks)).await;
    let keys = answer.is_success().then(|| keys::read(&answer.body)).flatten();
    let value = match &keys {
        Some(keys) => shown(keys, after_ms),
        None if answer.is_success() => json!({ "error": "no key set" }),
        None => json!({ "error": answer.words() }),
    };
    talk.fact(label, "partner", value);
    keys
}

fn shown(keys: &[PublishedKey], after_ms: u64) -> Value {
    json!({ "after_ms": after_ms, "keys": keys })
}

async fn requests(
    talk: &mut Talk,
    platform: &dyn Platform,
    label: &str,
    (client, start): (&str, Timestamp),
    finish_ms: u64,
) -> Option<()> {
    let log = platform.token_log(client, start - BEFORE).await;
    talk.heard(label, log, |it| value(&Requests::read(it, start, finish_ms))).map(|_| ())
}

fn value(requests: &Requests) -> Value {
    serde_json::to_value(requests).unwrap_or_else(|it| json!({ "error": it.to_string() }))
}
