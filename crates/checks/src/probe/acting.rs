//! What the probes share that act as the integration: a throw-away copy of its client, its token, and a
//! call that works before and after.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Environment, Identity};
use countersign_model::time::Period;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::token::{Use, mint, number, spend, status};
use crate::check::{Check, Info, Stage};
use crate::granted::{identity, token_clients};
use crate::platform::by_hand::{admin, api_call, call};
use crate::platform::{AdminAct, ClientCopy, CopyTerms, Platform, RaisedAlert, TokenRequest};
use crate::talk::Talk;

/// A probe that acts as the integration.
#[derive(Clone, Copy)]
pub(crate) struct Acting {
    /// What people read about it.
    pub(crate) info: &'static Info,
    /// Which of the clients of a manifest it looks at.
    pub(crate) looks_at: fn(&Manifest, &Identity) -> bool,
    /// What it sends.
    pub(crate) play: for<'a> fn(Scene<'a>) -> BoxFuture<'a, ()>,
    /// What it concludes.
    pub(crate) judge: fn(&Transcript) -> Judgement,
}

/// Where a probe acts.
pub(crate) struct Scene<'a> {
    pub(crate) talk: &'a mut Talk,
    pub(crate) platform: &'a dyn Platform,
    pub(crate) manifest: &'a Manifest,
    pub(crate) identity: &'a Identity,
}

/// Every client that obtains tokens.
pub(crate) fn every_client(_: &Manifest, _: &Identity) -> bool {
    true
}

#[async_trait::async_trait]
impl Check for Acting {
    fn info(&self) -> &'static Info {
        self.info
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let mine = token_clients(manifest).filter(|(_, it)| (self.looks_at)(manifest, it));
        mine.map(|(_, it)| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some((index, identity)) = identity(manifest, subject) else { return };
        talk.setting("place", format!("identity[{index}]"));
        let Some(platform) = talk.platform() else { return };
        (self.play)(Scene { talk, platform: platform.as_ref(), manifest, identity }).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let judgement = (self.judge)(transcript);
        let judgement = match (&judgement.place, transcript.text("place")) {
            (None, Some(place)) => judgement.at(place),
            _ => judgement,
        };
        match (&judgement.repeat, transcript.text("repeat")) {
            (None, Some(repeat)) => judgement.repeat(repeat),
            _ => judgement,
        }
    }
}

/// A copy, a token of it, and a call that it may make.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) copy: ClientCopy,
    pub(crate) token: String,
    pub(crate) refresh: Option<String>,
    /// How long the token lives, in seconds.
    pub(crate) life: Option<u64>,
    pub(crate) call: Use,
}

/// Makes a copy and gets a token for it. Nothing means: the transcript says why not.
pub(crate) async fn begin(scene: &mut Scene<'_>, terms: CopyTerms) -> Option<Actor> {
    let client = scene.identity.client_id();
    let copy = scene.talk.copy_client_on(scene.platform, client, terms).await?;
    begin_as(scene, copy).await
}

/// Gets a token for a copy.
pub(crate) async fn begin_as(scene: &mut Scene<'_>, copy: ClientCopy) -> Option<Actor> {
    let Scene { talk, platform, identity, .. } = scene;
    let name = talk.fresh_name("canary-")?;
    let Some(call) = Use::declared(identity, &name) else {
        talk.fact("minted", "manifest", json!({ "error": "the manifest declares no call for it" }));
        return None;
    };
    let answer = mint(talk, *platform, &copy, ("minted", &TokenRequest::default())).await?;
    let token = answer.access_token?;
    let (life, refresh) = (answer.expires_in, answer.refresh_token);
    Some(Actor { copy, token, refresh, life, call })
}

/// Makes the call that works, from this machine as it is.
pub(crate) async fn ordinary(scene: &mut Scene<'_>, actor: &Actor, label: &str) {
    spend(scene.talk, scene.platform, (&actor.token, &actor.call), (label, None)).await;
}

/// How to repeat it: make a copy, get a token, send this.
pub(crate) fn steps(scene: &Scene<'_>, actor: &Actor, headers: &[(&str, &str)]) -> String {
    let copy = admin(scene.platform, AdminAct::Copy(scene.identity.client_id()));
    let call = api_call(scene.platform, &call(&actor.call.method, &actor.call.path), headers);
    format!("{copy}; then {call}")
}

/// Waits for an alert about a copy that was not there before; says which came, and when.
pub(crate) async fn until_alert(
    scene: &mut Scene<'_>,
    copy: &ClientCopy,
    label: &str,
    (start, within): (u64, Period),
) {
    let wait = within_here(scene.manifest, within);
    let mut pause_ms = PAUSES_MS.0;
    loop {
        let alerts = scene.platform.alerts(&scene.manifest.integration.id).await;
        let after_ms = scene.talk.stopwatch_ms().saturating_sub(start);
        let mine = |it: &&RaisedAlert| it.client_id == copy.client_id;
        let found = alerts.as_ref().ok().and_then(|it| it.iter().find(mine)).cloned();
        if found.is_some() || wait.millis() <= after_ms {
            scene.talk.heard(label, alerts, |_| {
                json!({
                    "raised": found.is_some(), "signal": found.map(|it| it.signal),
                    "after_ms": after_ms, "within_ms": within.millis(),
                })
            });
            return;
        }
        scene.talk.pause("alert", Period::from_millis(pause_ms)).await;
        pause_ms = (pause_ms * 2).min(PAUSES_MS.1);
    }
}

/// A time limit as it is waited for: what takes minutes never arrives in a test tenant.
pub(crate) fn within_here(manifest: &Manifest, within: Period) -> Period {
    match manifest.environment {
        Environment::Production => within,
        Environment::Sandbox => within.min(SANDBOX_WAIT),
    }
}

/// Why there is nobody who could act.
pub(crate) fn no_actor(transcript: &Transcript) -> Option<Judgement> {
    let minted = transcript.fact("minted");
    if minted.is_some_and(|it| it.get("granted") == Some(&Value::Bool(true))) {
        return None;
    }
    let why = minted.or(transcript.fact("copy")).or(transcript.fact("chance"));
    let why = why.or(transcript.fact("platform"));
    Some(
        Judgement::inconclusive("a copy of the client did not get a token")
            .observed(status(why))
            .expected("a token, as control"),
    )
}

/// Why the call that works did not work, before (`control`) or after (`closing`).
pub(crate) fn not_ordinary(transcript: &Transcript, label: &str) -> Option<Judgement> {
    let fact = transcript.fact(label);
    if fact.is_some_and(|it| is_let_in(Some(it))) {
        return None;
    }
    let when = if label == "control" { "before" } else { "afterwards" };
    Some(
        Judgement::inconclusive(format!("ordinary use of the copy did not work {when}"))
            .observed(status(fact))
            .expected("an ordinary call goes through, before and afterwards"),
    )
}

/// Whether a call was let in: it went through, or was answered with what it asks for not being there.
pub(crate) fn is_let_in(fact: Option<&Value>) -> bool {
    matches!(number(fact, "status"), Some(200..300 | 400 | 404 | 409 | 422))
}

/// Whether a call went through.
pub(crate) fn is_success(fact: Option<&Value>) -> bool {
    matches!(number(fact, "status"), Some(200..300))
}

/// Whether a call was refused for who makes it.
pub(crate) fn is_denied(fact: Option<&Value>) -> bool {
    matches!(number(fact, "status"), Some(401 | 403))
}

/// How long something of a test tenant is waited for.
const SANDBOX_WAIT: Period = Period::from_seconds(2);
/// How soon it is looked for again, at first and at last.
const PAUSES_MS: (u64, u64) = (25, 2_000);

/// Facts of a copy that works, for the tables of the judges.
#[cfg(test)]
pub(crate) fn acting() -> crate::sample::Sample {
    let ok = json!({ "status": 200, "admitted": true });
    crate::sample::sample()
        .setting("place", "identity[0]")
        .fact("copy", json!({ "client": "a.copy-1", "of": "a" }))
        .fact("minted", json!({ "status": 200, "granted": true }))
        .fact("control", ok)
}
