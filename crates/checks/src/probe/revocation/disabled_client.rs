//! Is a disabled client refused at once, with its old tokens?
//!
//! Disabling is the first thing that is done in an emergency. A copy of the client gets a token that works;
//! then the copy is disabled, and both are tried until they are refused: a request for a new token, and the
//! old one. Enabled again, it gets a token: so it was the disabling that refused it.
//!
//! Source: RFC 7009, section 2; policy (CTS-TOK-04, CTS-WDR-01).

use countersign_model::check::{Judgement, Transcript};
use countersign_model::time::Period;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::check::Info;
use crate::platform::by_hand::{admin, api_call, call, token_request};
use crate::platform::{AdminAct, ClientChange, CopyTerms, TokenRequest};
use crate::probe::acting::{
    Acting, Actor, Scene, begin, every_client, no_actor, not_ordinary, ordinary,
};
use crate::probe::token::{mint, number, says, status};

/// Is a disabled client refused at once, with its old tokens?
pub(crate) const REFUSES_DISABLED_CLIENT: Acting = Acting {
    info: &Info {
        name: "refuses_disabled_client",
        case: Some("REV-07"),
        controls: &["CTS-TOK-04", "CTS-WDR-01"],
        question: "Is a disabled client refused at once, with its old tokens?",
        sends: "A throw-away copy of the client is disabled at the test tenant; then it asks for new tokens, and uses the one that it got before.",
        passes: "A new token is refused within 5 s, the old one within the limit of the manifest and the profile, and both stay refused.",
        risk: "The client is switched off, and whoever stole its key goes on working.",
        fix: "Ask at every token request and at every use whether the client is enabled; shorten caches.",
        source: "RFC 7009, section 2; policy.",
    },
    looks_at: every_client,
    play,
    judge,
};

/// What is tried until it is refused.
const TRIED: [&str; 2] = ["new", "old"];

fn play(mut scene: Scene<'_>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let declared = scene.manifest.revocation.deny_within;
        let bound = |figure: Option<u64>| {
            figure.map_or(declared, |it| Period::from_seconds(it).min(declared))
        };
        let old = bound(scene.talk.figure("CTS-TOK-04.max_seconds"));
        let new =
            bound(scene.talk.figure("CTS-WDR-01.issuance_seconds")).min(ISSUANCE_MAX).min(old);
        scene.talk.setting("old_ms", old.millis());
        scene.talk.setting("new_ms", new.millis());
        let Some(actor) = begin(&mut scene, CopyTerms::default()).await else { return };
        let client = scene.identity.client_id();
        let repeat = format!(
            "{}; {}; then {}; and {}",
            admin(scene.platform, AdminAct::Copy(client)),
            admin(scene.platform, AdminAct::Disable(&actor.copy.client_id)),
            token_request(scene.platform, &actor.copy.client_id),
            api_call(scene.platform, &call(&actor.call.method, &actor.call.path), &[]),
        );
        scene.talk.setting("repeat", repeat);
        ordinary(&mut scene, &actor, "control").await;
        let start = scene.talk.stopwatch_ms();
        let id = &actor.copy.client_id;
        let done = scene.platform.client(id, ClientChange::Disable).await;
        if scene.talk.heard("disabled", done, |()| json!({ "done": true })).is_none() {
            return;
        }
        until_refused(&mut scene, &actor, start, [new, old]).await;
        for _ in 0..AGAIN {
            for what in TRIED {
                let (seen, came) = attempt(&scene, &actor, what).await;
                scene.talk.fact(
                    "again",
                    "platform",
                    json!({ "what": what, "came": came, "seen": seen }),
                );
            }
        }
        let done = scene.platform.client(id, ClientChange::Enable).await;
        scene.talk.heard("enabled", done, |()| json!({ "done": true }));
        let request = TokenRequest::default();
        mint(scene.talk, scene.platform, &actor.copy, ("closing", &request)).await;
    })
}

/// Tries both until each is refused, or its time is over; says when that was.
async fn until_refused(scene: &mut Scene<'_>, actor: &Actor, start: u64, limits: [Period; 2]) {
    let mut left: Vec<(&str, Period)> = TRIED.into_iter().zip(limits).collect();
    let mut pause_ms = PAUSES_MS.0;
    loop {
        let mut still = Vec::new();
        for (what, limit) in left {
            let (seen, came) = attempt(scene, actor, what).await;
            let after_ms = scene.talk.stopwatch_ms().saturating_sub(start);
            if came == SHUT || limit.millis() <= after_ms {
                let ended = json!({ "came": came, "seen": seen, "after_ms": after_ms });
                scene.talk.fact(&format!("ended.{what}"), "platform", ended);
            } else {
                still.push((what, limit));
            }
        }
        left = still;
        if left.is_empty() {
            return;
        }
        scene.talk.pause("refusal", Period::from_millis(pause_ms)).await;
        pause_ms = (pause_ms * 2).min(PAUSES_MS.1);
    }
}

/// One attempt: what was seen, and what that comes to.
async fn attempt(scene: &Scene<'_>, actor: &Actor, what: &str) -> (String, &'static str) {
    if what == "new" {
        return match scene.platform.request_token(&actor.copy, &TokenRequest::default()).await {
            Ok(it) if it.access_token.is_some() => (format!("HTTP {}", it.status), OPEN),
            Ok(it) => {
                let came = if matches!(it.status, 400 | 401 | 403) { SHUT } else { UNCLEAR };
                (format!("HTTP {}", it.status), came)
            }
            Err(it) => (it.source.to_string(), UNCLEAR),
        };
    }
    let call = &actor.call;
    match scene.platform.use_token(&actor.token, &call.method, &call.path, None).await {
        Ok(it) => {
            let came = match it.status {
                401 | 403 => SHUT,
                407 | 408 | 429 | 500.. => UNCLEAR,
                _ => OPEN,
            };
            (format!("HTTP {}", it.status), came)
        }
        Err(it) => (it.source.to_string(), UNCLEAR),
    }
}

fn judge(transcript: &Transcript) -> Judgement {
    let limit = |name: &str| Period::from_millis(transcript.number(name).unwrap_or_default());
    let expected = format!(
        "a new token refused within {}, the old one within {}, and both from then on",
        limit("new_ms"),
        limit("old_ms")
    );
    decide(transcript).expected(expected)
}

fn decide(transcript: &Transcript) -> Judgement {
    if let Some(it) = no_actor(transcript).or_else(|| not_ordinary(transcript, "control")) {
        return it;
    }
    if !says(transcript.fact("disabled"), "done") {
        return Judgement::inconclusive("the platform did not disable the copy")
            .observed(status(transcript.fact("disabled")));
    }
    let mut observed = Vec::new();
    let mut unclear = None;
    for (what, words) in
        [("new", "a disabled client gets a token"), ("old", "a token of a disabled client works")]
    {
        let label = format!("ended.{what}");
        let ended = transcript.fact(&label);
        let (came, seen) = (text(ended, "came"), text(ended, "seen"));
        let after = Period::from_millis(number(ended, "after_ms").unwrap_or_default());
        let limit =
            Period::from_millis(transcript.number(&format!("{what}_ms")).unwrap_or_default());
        let seen = format!("{what} token: {seen} after {after}");
        match came {
            OPEN => return Judgement::fail(words).observed(seen),
            SHUT if limit < after => {
                return Judgement::fail(format!("{words} for too long")).observed(seen);
            }
            SHUT => observed.push(seen),
            _ => unclear = Some(seen),
        }
    }
    let again: Vec<&Value> = transcript.facts("again").map(|it| &it.value).collect();
    if let Some(back) = again.iter().find(|it| text(Some(it), "came") == OPEN) {
        return Judgement::fail("a disabled client is let in again after it was refused")
            .observed(format!("{} token: {}", text(Some(back), "what"), text(Some(back), "seen")));
    }
    let odd = again.iter().find(|it| text(Some(it), "came") != SHUT);
    if let Some(seen) = unclear.or(odd.map(|it| text(Some(it), "seen").to_owned())) {
        return Judgement::inconclusive("the platform neither refused nor let in").observed(seen);
    }
    if again.len() < TRIED.len() || !says(transcript.fact("closing"), "granted") {
        return Judgement::inconclusive(
            "enabled again, the copy got no token: so the refusal says nothing",
        )
        .observed(status(transcript.fact("closing")));
    }
    Judgement::pass("a disabled client is refused in time, with its old token")
        .observed(observed.join("; "))
}

fn text<'a>(fact: Option<&'a Value>, member: &str) -> &'a str {
    fact.and_then(|it| it.get(member)?.as_str()).unwrap_or_default()
}

const OPEN: &str = "open";
const SHUT: &str = "shut";
const UNCLEAR: &str = "unclear";
/// How soon no new token is given, whatever a profile says.
const ISSUANCE_MAX: Period = Period::from_seconds(5);
/// How soon the next try follows, at first and at last.
const PAUSES_MS: (u64, u64) = (20, 1_000);
/// How often both are tried again after the first refusal.
const AGAIN: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::acting::acting;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    fn ended(came: &str, after_ms: u64) -> Value {
        let seen = if came == OPEN { "HTTP 200" } else { "HTTP 401" };
        json!({ "came": came, "seen": seen, "after_ms": after_ms })
    }

    fn seen(new: &Value, old: &Value, again: &str) -> Sample {
        let again = |what: &str| json!({ "what": what, "came": again, "seen": "HTTP 401" });
        acting()
            .setting("new_ms", 5_000)
            .setting("old_ms", 5_000)
            .fact("disabled", json!({ "done": true }))
            .fact("ended.new", new.clone())
            .fact("ended.old", old.clone())
            .fact("again", again("new"))
            .fact("again", again("old"))
            .fact("closing", json!({ "status": 200, "granted": true }))
    }

    #[test]
    fn what_is_disabled_is_refused_in_time() {
        let shut = ended(SHUT, 12);
        let down = json!({ "error": "it cannot be reached" });
        let table = [
            ("refused", seen(&shut, &shut, SHUT), Pass),
            ("a new token", seen(&ended(OPEN, 5_010), &shut, SHUT), Fail),
            ("the old token", seen(&shut, &ended(OPEN, 5_010), SHUT), Fail),
            ("too late", seen(&shut, &ended(SHUT, 5_010), SHUT), Fail),
            ("let in again", seen(&shut, &shut, OPEN), Fail),
            ("breaks", seen(&ended(UNCLEAR, 5_010), &shut, SHUT), Inconclusive),
            ("breaks afterwards", seen(&shut, &shut, UNCLEAR), Inconclusive),
            (
                "refused ever after",
                seen(&shut, &shut, SHUT).fact("closing", json!({"status": 401, "granted": false})),
                Inconclusive,
            ),
            ("not disabled", acting().fact("disabled", down.clone()), Inconclusive),
            ("platform down", sample().fact("copy", down), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&REFUSES_DISABLED_CLIENT, &table);
        let judgement = judged(&REFUSES_DISABLED_CLIENT, &table[0].1);
        insta::assert_snapshot!(judgement.observed, @"new token: HTTP 401 after 12ms; old token: HTTP 401 after 12ms");
        let judgement = judged(&REFUSES_DISABLED_CLIENT, &table[1].1);
        insta::assert_snapshot!(judgement.sentence, @"a disabled client gets a token");
    }
}
