//! Is it noticed when a person uses its credential?
//!
//! A machine's credential in a person's browser is a person that nobody can name, who keeps it when they
//! leave. A copy of the client makes its ordinary call as a browser would, and signs in where people do;
//! each has to be refused, or an alert about it has to arrive.
//!
//! Source: OWASP NHI10:2025; NIST SP 800-53r5, AC-2(9) and AC-2(12) (CTS-CRD-08).

use countersign_model::check::{Judgement, Transcript, Verdict};
use countersign_model::time::Period;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::check::Info;
use crate::platform::by_hand::call;
use crate::platform::{CopyTerms, Manner};
use crate::probe::acting::{
    Acting, Scene, begin, every_client, is_denied, is_let_in, is_success, no_actor, not_ordinary,
    ordinary, steps, until_alert,
};
use crate::probe::token::{error, number, says, status};

/// Is it noticed when a person uses its credential?
pub(crate) const REFUSES_INTERACTIVE_USE: Acting = Acting {
    info: &Info {
        name: "refuses_interactive_use",
        case: Some("ACC-05"),
        controls: &["CTS-CRD-08", "CTS-LOG-05"],
        question: "Is it noticed when a person uses its credential?",
        sends: "As a throw-away copy of the client: its ordinary call with the user agent of a browser, and a sign-in at the console with its credential.",
        passes: "Each is refused (401 or 403), or an alert about this client arrives in time.",
        risk: "A person acts unseen behind a machine, and leaves with its key.",
        fix: "Forbid interactive sign-in for the client at the platform, and wire an alert for browsers that use its tokens.",
        source: "OWASP NHI10:2025; NIST SP 800-53r5, AC-2(9) and AC-2(12).",
    },
    looks_at: every_client,
    play,
    judge,
};

fn play(mut scene: Scene<'_>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let minutes = scene.talk.figure("CTS-CRD-08.alert_minutes").unwrap_or(ALERT_MINUTES);
        let within = Period::from_seconds(minutes * 60);
        let Some(actor) = begin(&mut scene, CopyTerms::default()).await else { return };
        let repeat = steps(&scene, &actor, &[("user-agent", BROWSER)]);
        scene.talk.setting("repeat", repeat);
        ordinary(&mut scene, &actor, "control").await;
        let start = scene.talk.stopwatch_ms();
        let manner = Manner { agent: Some(BROWSER.to_owned()), ..Manner::default() };
        let call = call(&actor.call.method, &actor.call.path);
        let answer = scene.platform.call(&actor.token, &call, &manner).await;
        scene.talk.heard(
            "browser",
            answer,
            |it| json!({ "status": it.status, "reason": it.reason }),
        );
        if is_let_in(scene.talk.transcript().fact("browser")) {
            until_alert(&mut scene, &actor.copy, "browser.alert", (start, within)).await;
        }
        // A copy of its own, so that no alert stands for another.
        let client = scene.identity.client_id();
        if let Some(copy) = scene.talk.copy_client(scene.platform, client).await {
            let start = scene.talk.stopwatch_ms();
            let answer = scene.platform.sign_in(&copy).await;
            let show =
                |it: &crate::platform::Answer| json!({ "status": it.status, "reason": it.reason });
            scene.talk.heard("console", answer, show);
            if is_success(scene.talk.transcript().fact("console")) {
                until_alert(&mut scene, &copy, "console.alert", (start, within)).await;
            }
        }
        ordinary(&mut scene, &actor, "closing").await;
    })
}

fn judge(transcript: &Transcript) -> Judgement {
    let expected = "a refusal (401 or 403), or an alert in time";
    decide(transcript).expected(expected)
}

fn decide(transcript: &Transcript) -> Judgement {
    if let Some(it) = no_actor(transcript).or_else(|| not_ordinary(transcript, "control")) {
        return it;
    }
    let ways = [
        way(transcript, "browser", "a browser", "a browser may use its token, and nobody is told"),
        way(
            transcript,
            "console",
            "the console",
            "a person may sign in with its credential, and nobody is told",
        ),
    ];
    let of = |verdict| ways.iter().find(|it| it.verdict == verdict);
    if let Some(fail) = of(Verdict::Fail) {
        return fail.clone();
    }
    if let Some(it) = not_ordinary(transcript, "closing") {
        return it;
    }
    if let Some(it) = of(Verdict::Inconclusive) {
        return it.clone();
    }
    let observed: Vec<&str> = ways.iter().map(|it| it.observed.as_str()).collect();
    Judgement::pass("its credential is of no use to a person, or its use is noticed")
        .observed(observed.join("; "))
}

/// One way in which a person uses it.
fn way(transcript: &Transcript, label: &str, who: &str, sentence: &str) -> Judgement {
    let fact = transcript.fact(label);
    let seen = format!("{who}: {}", status(fact));
    if is_denied(fact) {
        return Judgement::pass("refused").observed(seen);
    }
    let works = if label == "browser" { is_let_in(fact) } else { is_success(fact) };
    if !works {
        let sentence = format!("it cannot be seen whether {who} may use it");
        return Judgement::inconclusive(sentence).observed(seen);
    }
    let label = format!("{label}.alert");
    let alert = transcript.fact(&label);
    if error(alert).is_some() || alert.is_none() {
        return Judgement::inconclusive("alerts could not be read")
            .observed(format!("{seen}; {}", status(alert)));
    }
    let after = Period::from_millis(number(alert, "after_ms").unwrap_or_default());
    if says(alert, "raised") {
        return Judgement::pass("noticed").observed(format!("{seen}, and an alert after {after}"));
    }
    Judgement::fail(sentence).observed(format!("{seen}, and no alert within {after}"))
}

/// A browser, as it names itself.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
/// How soon an alert has to arrive where no profile says it: policy.
const ALERT_MINUTES: u64 = 15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::acting::acting;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    fn seen(browser: u16, console: u16, raised: bool) -> Sample {
        let mut sample = acting();
        for (label, status) in [("browser", browser), ("console", console)] {
            sample = sample.fact(label, json!({ "status": status }));
            if status == 200 {
                let told = json!({ "raised": raised, "after_ms": 31 });
                sample = sample.fact(&format!("{label}.alert"), told);
            }
        }
        sample.fact("closing", json!({ "status": 200 }))
    }

    #[test]
    fn a_person_is_refused_or_noticed() {
        let down = json!({ "error": "it gives no way to do that" });
        let unable = acting().fact("browser", json!({"status": 403})).fact("console", down.clone());
        let unread = acting()
            .fact("browser", json!({"status": 200}))
            .fact("browser.alert", down.clone())
            .fact("console", json!({"status": 403}))
            .fact("closing", json!({"status": 200}));
        let table = [
            ("refused", seen(403, 403, false), Pass),
            ("noticed", seen(200, 200, true), Pass),
            ("a browser works", seen(200, 403, false), Fail),
            ("the console works", seen(403, 200, false), Fail),
            ("breaks", seen(500, 403, false), Inconclusive),
            ("no console known", unable.fact("closing", json!({"status": 200})), Inconclusive),
            ("alerts unread", unread, Inconclusive),
            ("no such page", seen(403, 404, false), Inconclusive),
            (
                "gone afterwards",
                seen(403, 403, false).fact("closing", json!({"status": 500})),
                Inconclusive,
            ),
            ("platform down", sample().fact("copy", down), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&REFUSES_INTERACTIVE_USE, &table);
        let judgement = judged(&REFUSES_INTERACTIVE_USE, &table[2].1);
        insta::assert_snapshot!(judgement.sentence, @"a browser may use its token, and nobody is told");
        insta::assert_snapshot!(judgement.observed, @"a browser: HTTP 200, and no alert within 31ms");
    }
}
