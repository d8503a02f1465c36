//! Can it give itself more than it was given?
//!
//! A foothold that may change its own rights grows into administration, and stays when its first key is taken
//! away. A copy of the client tries each call of the platform's API that would give it more: a second
//! credential, a role, an app, a wider consent, another callback. Each has to be refused, and what is
//! registered has to be the same afterwards, whatever was answered.
//!
//! Source: OWASP NHI5:2025; NIST SP 800-53r5, AC-6(1) and CM-5 (CTS-SCP-05).

use countersign_model::check::{Judgement, Transcript};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::check::Info;
use crate::granted::words;
use crate::platform::by_hand::{admin, api_call};
use crate::platform::{AdminAct, CopyTerms, Held, Manner};
use crate::probe::acting::{
    Acting, Actor, Scene, begin, every_client, is_success, no_actor, not_ordinary, ordinary,
};
use crate::probe::token::{error, number, status};
use crate::undo::Undo;

/// Can it give itself more than it was given?
pub(crate) const REFUSES_SELF_GRANT: Acting = Acting {
    info: &Info {
        name: "refuses_self_grant",
        case: Some("ACC-02"),
        controls: &["CTS-SCP-01", "CTS-SCP-05"],
        question: "Can it give itself more than it was given?",
        sends: "As a throw-away copy of the client: calls that add a credential, add a role, register an app, widen its consent and change a callback.",
        passes: "Each is refused, and the registration of the copy and of the integration is the same afterwards.",
        risk: "A small foothold grows into administration, and stays.",
        fix: "Take directory-writing rights from the client; let an administrator of yours decide about credentials, roles, apps, consents and callbacks.",
        source: "OWASP NHI5:2025; NIST SP 800-53r5, AC-6(1) and CM-5.",
    },
    looks_at: every_client,
    play,
    judge,
};

fn play(mut scene: Scene<'_>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let Some(actor) = begin(&mut scene, CopyTerms::default()).await else { return };
        let Some(name) = scene.talk.fresh_name("canary-") else { return };
        let id = &actor.copy.client_id;
        let calls = scene.platform.self_grant_calls(id, &name).await;
        let calls = scene.talk.heard("calls", calls, |it| json!({ "calls": it.len() }));
        let Some(calls) = calls.filter(|it| !it.is_empty()) else { return };
        // An app that it registers goes again.
        scene.talk.undo_later(Undo::DeleteCopy(name));
        ordinary(&mut scene, &actor, "control").await;
        registered(&mut scene, &actor, "before").await;
        for call in calls.iter().take(CALLS_MAX) {
            let repeat = format!("repeat.{}", call.name);
            scene.talk.setting(&repeat, api_call(scene.platform, call, &[]));
            let answer = scene.platform.call(&actor.token, call, &Manner::default()).await;
            let tried = scene.talk.heard(
                "wrong",
                answer,
                |it| json!({ "what": call.name, "status": it.status, "reason": it.reason }),
            );
            if tried.is_none() {
                return;
            }
        }
        registered(&mut scene, &actor, "after").await;
        let list = AdminAct::ListClients(scene.manifest.integration.id.as_str());
        scene.talk.setting("repeat", admin(scene.platform, list));
        ordinary(&mut scene, &actor, "closing").await;
    })
}

/// What is registered for the copy, and for the integration.
async fn registered(scene: &mut Scene<'_>, actor: &Actor, label: &str) {
    let copy = scene.platform.registration(&actor.copy.client_id).await;
    let show = |it: &Option<_>| json!(it);
    scene.talk.heard(&format!("{label}.copy"), copy, show);
    let held = scene.platform.granted(scene.manifest).await;
    let show = |it: &Held| json!({ "granted": it.granted, "undeclared": it.undeclared });
    scene.talk.heard(&format!("{label}.integration"), held, show);
}

fn judge(transcript: &Transcript) -> Judgement {
    decide(transcript).expected("a refusal (403) of each, and the same registration afterwards")
}

fn decide(transcript: &Transcript) -> Judgement {
    if let Some(it) = no_actor(transcript) {
        return it;
    }
    let calls = transcript.fact("calls");
    let Some(asked) = number(calls, "calls").filter(|it| 0 < *it) else {
        return Judgement::inconclusive("it is not known which calls would give it more")
            .observed(status(calls));
    };
    if let Some(it) = not_ordinary(transcript, "control") {
        return it;
    }
    let tried: Vec<&Value> = transcript.facts("wrong").map(|it| &it.value).collect();
    let lines: Vec<String> =
        tried.iter().map(|it| format!("{}: {}", what(it), status(Some(it)))).collect();
    if let Some(first) = tried.iter().find(|it| is_success(Some(it))) {
        let judgement = Judgement::fail(format!("it may {}", what(first)))
            .observed(lines.join("; "))
            .details(lines);
        let repeat = transcript.text(&format!("repeat.{}", what(first)));
        return repeat.map_or(judgement.clone(), |it| judgement.repeat(it));
    }
    match changed(transcript) {
        Ok(None) => {}
        Ok(Some(change)) => {
            return Judgement::fail("it is refused more rights, and gets them all the same")
                .observed(format!("{change}; {}", lines.join("; ")))
                .details(lines);
        }
        Err(why) => {
            return Judgement::inconclusive("it cannot be seen what is registered").observed(why);
        }
    }
    if let Some(it) = not_ordinary(transcript, "closing") {
        return it;
    }
    let is_no = |it: &&&Value| matches!(number(Some(it), "status"), Some(401 | 403 | 404 | 405));
    let refused = tried.iter().filter(is_no).count() as u64;
    if refused < asked.min(CALLS_MAX as u64) {
        return Judgement::inconclusive("an attempt has no answer that says anything")
            .observed(lines.join("; "));
    }
    Judgement::pass("it cannot give itself more").observed(format!(
        "{refused} of {refused} refused, and the registration is the same: {}",
        lines.join("; ")
    ))
}

/// What is registered afterwards and was not before.
fn changed(transcript: &Transcript) -> Result<Option<String>, String> {
    for whose in ["copy", "integration"] {
        let of = |when: &str| {
            let fact = transcript.fact(&format!("{when}.{whose}"));
            match (fact, error(fact)) {
                (Some(it), None) if !it.is_null() => Ok(it),
                _ => Err(format!("the registration of the {whose}: {}", status(fact))),
            }
        };
        let (before, after) = (of("before")?, of("after")?);
        if before == after {
            continue;
        }
        for member in ["scopes", "keys", "redirect_uris", "undeclared"] {
            let pointer = format!("/{member}");
            let known = words(before, &pointer);
            let more = words(after, &pointer).into_iter().find(|it| !known.contains(it));
            if let Some(more) = more {
                return Ok(Some(format!("the {whose} has `{more}` in `{member}`")));
            }
        }
        return Ok(Some(format!("the registration of the {whose} is another one")));
    }
    Ok(None)
}

fn what(fact: &Value) -> &str {
    fact.get("what").and_then(Value::as_str).unwrap_or("give itself more")
}

/// How many ways are tried.
const CALLS_MAX: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::acting::acting;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    fn seen(tried: [u16; 2], scopes: &[&str], undeclared: &[&str]) -> Sample {
        let mut sample = acting()
            .setting("repeat.add a role", "curl role")
            .fact("calls", json!({ "calls": 2 }))
            .fact("before.copy", json!({ "scopes": ["tickets:write"] }))
            .fact("before.integration", json!({ "granted": {}, "undeclared": [] }));
        for (what, status) in ["add a credential", "add a role"].iter().zip(tried) {
            sample = sample.fact("wrong", json!({ "what": what, "status": status }));
        }
        sample
            .fact("after.copy", json!({ "scopes": scopes }))
            .fact("after.integration", json!({ "granted": {}, "undeclared": undeclared }))
            .fact("closing", json!({ "status": 200 }))
    }

    #[test]
    fn nothing_is_given_to_who_asks_for_it() {
        let same = &["tickets:write"];
        let down = json!({ "error": "it gives no way to do that" });
        let table = [
            ("refused", seen([403, 403], same, &[]), Pass),
            ("not there", seen([403, 404], same, &[]), Pass),
            ("one goes through", seen([403, 201], same, &[]), Fail),
            ("refused and done", seen([403, 403], &["tickets:write", "tenant-admin"], &[]), Fail),
            ("an app appears", seen([403, 403], same, &["canary-7"]), Fail),
            ("breaks", seen([403, 500], same, &[]), Inconclusive),
            (
                "unreadable",
                seen([403, 403], same, &[]).fact("after.copy", down.clone()),
                Inconclusive,
            ),
            ("gone", seen([403, 403], same, &[]).fact("after.copy", Value::Null), Inconclusive),
            (
                "dead afterwards",
                seen([403, 403], same, &[]).fact("closing", json!({"status": 401})),
                Inconclusive,
            ),
            ("no way known", acting().fact("calls", down.clone()), Inconclusive),
            ("platform down", sample().fact("copy", down), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&REFUSES_SELF_GRANT, &table);
        let judgement = judged(&REFUSES_SELF_GRANT, &table[2].1);
        insta::assert_snapshot!(judgement.sentence, @"it may add a role");
        insta::assert_snapshot!(judgement.repeat.unwrap(), @"curl role");
        let judgement = judged(&REFUSES_SELF_GRANT, &table[3].1);
        insta::assert_snapshot!(judgement.observed, @"the copy has `tenant-admin` in `scopes`; add a credential: HTTP 403; add a role: HTTP 403");
    }
}
