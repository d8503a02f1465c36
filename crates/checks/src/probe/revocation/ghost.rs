//! Does an offboarded client stay gone?
//!
//! What was deleted comes back: from a replica, a cache, a backup, a job that writes its list again. So the
//! credentials of a throw-away copy are kept when it is offboarded, and tried again: at once, a day later,
//! and after thirty days. In a sandbox, where windows are seconds, the later sweeps follow after some hundred
//! milliseconds, and between them it is tried all the time. Elsewhere a run sees the first sweep; those that are not
//! due yet are waited for, and nothing passes before.
//!
//! Source: policy; OWASP NHI1:2025 (CTS-WDR-02).

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::manifest::Environment;
use countersign_model::time::Period;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::check::Info;
use crate::drill::tries::{self, Came, OPEN, SHUT};
use crate::platform::by_hand::{admin, api_call, call, token_request};
use crate::platform::{AdminAct, ClientChange, CopyTerms, TokenRequest};
use crate::probe::acting::{Acting, Actor, Scene, begin, every_client, no_actor};
use crate::probe::token::error;

/// Does an offboarded client stay gone?
pub(crate) const STAYS_GONE_AFTER_OFFBOARDING: Acting = Acting {
    info: &Info {
        name: "stays_gone_after_offboarding",
        case: Some("REV-10"),
        controls: &["CTS-WDR-02"],
        question: "Does an offboarded client stay gone?",
        sends: "A throw-away copy of the client gets tokens, is disabled, its tokens are revoked and it is deleted; then its key, its token and its refresh token are tried again at once, after 24 h and after 30 d (in a sandbox within a second).",
        passes: "Each is refused at all three sweeps. What is not due yet is waited for.",
        risk: "An integration that left years ago can still come in.",
        fix: "Delete a client everywhere: in replicas, caches, backups that are written back, and lists that jobs restore.",
        source: "Policy; OWASP NHI1:2025.",
    },
    looks_at: every_client,
    play,
    judge,
};

/// The sweeps: their names, when they are due, and when a sandbox makes them.
const SWEEPS: [(&str, Period, Period); 3] = [
    ("T+0", Period::from_millis(0), Period::from_millis(0)),
    ("T+24 h", Period::from_hours(24), Period::from_millis(300)),
    ("T+30 d", Period::from_days(30), Period::from_millis(600)),
];

fn play(mut scene: Scene<'_>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let is_sandbox = scene.manifest.environment == Environment::Sandbox;
        scene.talk.figure("CTS-WDR-02.sweep_hours");
        let Some(mut actor) = begin(&mut scene, CopyTerms::default()).await else { return };
        for (way, came) in ways(&scene, &mut actor).await {
            scene.talk.fact("before", "platform", came.value(way, 0));
        }
        let client = scene.identity.client_id();
        let repeat = format!(
            "{}; {}; then {}; and {}",
            admin(scene.platform, AdminAct::Copy(client)),
            admin(scene.platform, AdminAct::Delete(&actor.copy.client_id)),
            token_request(scene.platform, &actor.copy.client_id),
            api_call(scene.platform, &call(&actor.call.method, &actor.call.path), &[]),
        );
        scene.talk.setting("repeat", repeat);
        let began = scene.talk.stopwatch_ms();
        let changes = [
            ("disable", ClientChange::Disable),
            ("revoke-tokens", ClientChange::RevokeTokens),
            ("delete", ClientChange::Delete),
        ];
        for (how, change) in changes {
            let done = scene.platform.client(&actor.copy.client_id, change).await;
            scene.talk.heard("ended", done, |()| json!({ "how": how }));
        }
        first(&mut scene, &mut actor, began).await;
        if !is_sandbox {
            return;
        }
        for (name, _, at) in SWEEPS.into_iter().skip(1) {
            later(&mut scene, &mut actor, (began, name, at)).await;
        }
    })
}

/// The first sweep: what is still open is tried again until the time of the manifest is over.
async fn first(scene: &mut Scene<'_>, actor: &mut Actor, began: u64) {
    let limit = scene.manifest.revocation.deny_within.min(TRY_MAX).millis();
    loop {
        let came = ways(scene, actor).await;
        let after_ms = scene.talk.stopwatch_ms().saturating_sub(began);
        if came.iter().all(|it| it.1.is_shut()) || limit <= after_ms {
            swept(scene, SWEEPS[0].0, &came, after_ms);
            return;
        }
        scene.talk.pause("sweep", TRY_EVERY).await;
    }
}

/// A later sweep; until then it is tried all the time, and ends as soon as something answers.
async fn later(scene: &mut Scene<'_>, actor: &mut Actor, (began, name, at): (u64, &str, Period)) {
    loop {
        let came = ways(scene, actor).await;
        let after_ms = scene.talk.stopwatch_ms().saturating_sub(began);
        if came.iter().any(|it| it.1.is_open()) || at.millis() <= after_ms {
            swept(scene, name, &came, after_ms);
            return;
        }
        scene.talk.pause("sweep", TRY_EVERY).await;
    }
}

fn swept(scene: &mut Scene<'_>, name: &str, came: &[(&'static str, Came)], after_ms: u64) {
    for (way, came) in came {
        scene.talk.fact(&format!("sweep {name}"), "platform", came.value(way, after_ms));
    }
}

/// Every credential of the copy, tried once. A refresh token that is taken is followed by the next one.
async fn ways(scene: &Scene<'_>, actor: &mut Actor) -> Vec<(&'static str, Came)> {
    let platform = scene.platform;
    let call = (actor.call.method.clone(), actor.call.path.clone());
    let used = tries::token(platform, &actor.token, Some(&call)).await;
    let request = TokenRequest::default();
    let (minted, _) = tries::mint(platform, &actor.copy, &request).await;
    let mut all = vec![("its token", used), ("its key", minted)];
    if let Some(token) = actor.refresh.clone() {
        let request = TokenRequest {
            grant: Some("refresh_token".to_owned()),
            refresh_token: Some(token),
            ..TokenRequest::default()
        };
        let (refreshed, answer) = tries::mint(platform, &actor.copy, &request).await;
        actor.refresh = answer.refresh_token.or_else(|| actor.refresh.take());
        all.push(("its refresh token", refreshed));
    }
    all
}

fn judge(transcript: &Transcript) -> Judgement {
    decide(transcript).expected("every credential refused at T+0, T+24 h and T+30 d")
}

fn decide(transcript: &Transcript) -> Judgement {
    if let Some(it) = no_actor(transcript) {
        return it;
    }
    let tried = |label: &str| -> Vec<Value> {
        transcript.facts(label).map(|it| it.value.clone()).collect()
    };
    let came = |it: &Value, word: &str| it.get("came").and_then(Value::as_str) == Some(word);
    let words = |it: &Value| {
        let text = |name: &str| it.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        format!("{}: {}", text("path"), text("seen"))
    };
    let sweeps = SWEEPS.map(|(name, _, _)| (name, tried(&format!("sweep {name}"))));
    for (name, sweep) in &sweeps {
        if let Some(open) = sweep.iter().find(|it| came(it, OPEN)) {
            return Judgement::fail(format!("an offboarded client is let in at {name}"))
                .observed(words(open))
                .details(sweeps.iter().flat_map(|it| it.1.iter().map(words)));
        }
    }
    let before = tried("before");
    if let Some(odd) = before.iter().find(|it| !came(it, OPEN)) {
        return Judgement::inconclusive("the copy did not work before, so its end says nothing")
            .observed(words(odd));
    }
    if let Some(why) = transcript.facts("ended").find_map(|it| error(Some(&it.value))) {
        return Judgement::inconclusive("the platform did not end the copy").observed(why);
    }
    let mut made = Vec::new();
    for (name, sweep) in &sweeps {
        if sweep.is_empty() {
            continue;
        }
        if let Some(odd) = sweep.iter().find(|it| !came(it, SHUT)) {
            let sentence = format!("not every credential was clearly refused at {name}");
            return Judgement::inconclusive(sentence).observed(words(odd));
        }
        let after = sweep[0].get("after_ms").and_then(Value::as_u64).unwrap_or_default();
        made.push(format!("{name}, made after {}", Period::from_millis(after)));
    }
    if before.is_empty() || made.is_empty() {
        return Judgement::inconclusive("nothing was offboarded");
    }
    let observed = format!("{} of {} refused: {}", before.len(), before.len(), made.join("; "));
    if made.len() < SWEEPS.len() {
        let due: Vec<&str> = sweeps.iter().filter(|it| it.1.is_empty()).map(|it| it.0).collect();
        return Judgement::inconclusive("the later sweeps after an offboarding are not due yet")
            .observed(observed)
            .waiting(
                format!("{} of {} sweeps", made.len(), SWEEPS.len()),
                format!("{}, with the credentials of the copy that ended", due.join(" and ")),
            );
    }
    Judgement::pass("an offboarded client stays gone").observed(observed)
}

/// How often what still answers is tried again.
const TRY_EVERY: Period = Period::from_millis(100);
/// However much time the manifest gives.
const TRY_MAX: Period = Period::from_seconds(120);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::acting::acting;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    const WAYS: [&str; 2] = ["its token", "its key"];

    fn row(way: &str, came: &str, after_ms: u64) -> Value {
        json!({ "path": way, "came": came, "seen": format!("HTTP {came}"), "after_ms": after_ms })
    }

    fn swept(made: &[(&str, &str)]) -> Sample {
        let mut sample = acting();
        for way in WAYS {
            sample = sample.fact("before", row(way, OPEN, 0));
        }
        sample = sample.fact("ended", json!({ "how": "delete" }));
        for (place, (name, last)) in made.iter().enumerate() {
            let after_ms = 300 * place as u64 + 2;
            sample = sample
                .fact(&format!("sweep {name}"), row(WAYS[0], SHUT, after_ms))
                .fact(&format!("sweep {name}"), row(WAYS[1], last, after_ms));
        }
        sample
    }

    #[test]
    fn gone_is_gone_at_every_sweep() {
        let all = |last: &'static str| swept(&[("T+0", SHUT), ("T+24 h", SHUT), ("T+30 d", last)]);
        let down = json!({ "error": "it cannot be reached" });
        let table = [
            ("gone", all(SHUT), Pass),
            ("back after a day", swept(&[("T+0", SHUT), ("T+24 h", OPEN)]), Fail),
            ("never gone", swept(&[("T+0", OPEN)]), Fail),
            ("breaks", all("unclear"), Inconclusive),
            ("one sweep", swept(&[("T+0", SHUT)]), Inconclusive),
            ("not ended", all(SHUT).fact("ended", down.clone()), Inconclusive),
            (
                "never worked",
                all(SHUT).fact("before", row("its refresh token", SHUT, 0)),
                Inconclusive,
            ),
            ("cut off", swept(&[]), Inconclusive),
            ("platform down", sample().fact("copy", down), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&STAYS_GONE_AFTER_OFFBOARDING, &table);
        let judgement = judged(&STAYS_GONE_AFTER_OFFBOARDING, &table[0].1);
        insta::assert_snapshot!(judgement.observed, @"2 of 2 refused: T+0, made after 2ms; T+24 h, made after 302ms; T+30 d, made after 602ms");
        let judgement = judged(&STAYS_GONE_AFTER_OFFBOARDING, &table[1].1);
        insta::assert_snapshot!(judgement.sentence, @"an offboarded client is let in at T+24 h");
        let waiting = judged(&STAYS_GONE_AFTER_OFFBOARDING, &table[4].1).waiting.unwrap();
        insta::assert_snapshot!(waiting.reached, @"1 of 3 sweeps");
        insta::assert_snapshot!(waiting.waits_for, @"T+24 h and T+30 d, with the credentials of the copy that ended");
    }
}
