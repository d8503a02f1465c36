//! Can it delete what is written down about it?
//!
//! Whoever steals data last deletes the traces: the thieves of Salesloft Drift's tokens deleted their jobs. A
//! copy of the client makes some calls, which the platform writes down; then it calls whatever deletes its
//! job history and its log lines. The lines have to be there afterwards, and a deletion that went through has to
//! be written down itself.
//!
//! Source: NIST SP 800-53r5, AU-9; the theft of Drift's tokens in 2025 (CTS-LOG-04).

use std::collections::BTreeMap;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::time::{Period, Timestamp};
use countersign_seal::Digest;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::check::Info;
use crate::platform::by_hand::{admin, api_call};
use crate::platform::{AdminAct, CopyTerms, Platform, PlatformError};
use crate::probe::acting::{
    Acting, Actor, Scene, begin, every_client, is_success, no_actor, not_ordinary, ordinary,
    within_here,
};
use crate::probe::token::{Use, error, number, spend, status};

/// Can it delete what is written down about it?
pub(crate) const KEEPS_ITS_LOG_FROM_BEING_ERASED: Acting = Acting {
    info: &Info {
        name: "keeps_its_log_from_being_erased",
        case: Some("ACC-06"),
        controls: &["CTS-LOG-04", "CTS-LOG-05"],
        question: "Can it delete what is written down about it?",
        sends: "As a throw-away copy of the client: a few ordinary calls, then each call of the platform's API that deletes its job history or its log lines.",
        passes: "Every line that was written down is still there, and each deletion was refused or is itself written down.",
        risk: "When the question comes what was taken, the record is gone.",
        fix: "Take the right to delete records from the client, and keep the log where no client reaches.",
        source: "NIST SP 800-53r5, AU-9; the theft of Drift's tokens in 2025.",
    },
    looks_at: every_client,
    play,
    judge,
};

fn play(mut scene: Scene<'_>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let since = scene.talk.now() - EARLIER;
        let Some(actor) = begin(&mut scene, CopyTerms::default()).await else { return };
        let calls = scene.platform.suppression_calls(&actor.copy.client_id).await;
        let calls = scene.talk.heard("calls", calls, |it| json!({ "calls": it.len() }));
        let Some(calls) = calls.filter(|it| !it.is_empty()) else { return };
        for _ in 0..CALLS {
            ordinary(&mut scene, &actor, "control").await;
        }
        let before = written(&mut scene, &actor, ("before", since)).await;
        let Some(before) = before else { return };
        for call in calls.iter().take(CALLS_MAX) {
            if !scene.talk.transcript().settings.contains_key("repeat") {
                let read = admin(scene.platform, AdminAct::AccessLog(&actor.copy.client_id));
                let repeat = format!("{}; then {read}", api_call(scene.platform, call, &[]));
                scene.talk.setting("repeat", repeat);
            }
            let one = Use { method: call.method.clone(), path: call.path.clone() };
            spend(scene.talk, scene.platform, (&actor.token, &one), ("wrong", None)).await;
        }
        let after = lines(scene.platform, &actor.copy.client_id, since).await;
        scene.talk.heard("after", after, |it| {
            let kept =
                before.iter().map(|(line, count)| it.get(line).map_or(0, |now| now.0.min(*count)));
            json!({ "kept": kept.sum::<u64>(), "recorded": recorded(it, &calls) })
        });
        ordinary(&mut scene, &actor, "closing").await;
    })
}

/// Lines of a record, by digest: how often each, and the call that it tells of.
type Lines = BTreeMap<Digest, (u64, String)>;

/// What is written down, as soon as all calls are.
async fn written(
    scene: &mut Scene<'_>,
    actor: &Actor,
    (label, since): (&str, Timestamp),
) -> Option<BTreeMap<Digest, u64>> {
    let start = scene.talk.stopwatch_ms();
    let delay = scene.manifest.logging.max_delay;
    let wait = within_here(scene.manifest, delay.min(DELAY_MAX));
    loop {
        let found = lines(scene.platform, &actor.copy.client_id, since).await;
        let count = found.as_ref().map_or(0, |it| it.values().map(|it| it.0).sum::<u64>());
        let spent = scene.talk.stopwatch_ms().saturating_sub(start);
        if u64::from(CALLS) <= count || wait.millis() <= spent {
            let found = scene.talk.heard(label, found, |_| json!({ "lines": count }))?;
            return (0 < count).then(|| found.into_iter().map(|(line, it)| (line, it.0)).collect());
        }
        scene.talk.pause(label, LOOK_EVERY).await;
    }
}

async fn lines(
    platform: &dyn Platform,
    client: &str,
    since: Timestamp,
) -> Result<Lines, PlatformError> {
    let record = platform.access_log(client, since).await?;
    let mut lines = Lines::new();
    let written = record.split(|it| *it == b'\n').filter(|it| !it.trim_ascii().is_empty());
    for line in written.take(LINES_MAX) {
        let parsed: Value = serde_json::from_slice(line).unwrap_or_default();
        let text = |name: &str| parsed.get(name).and_then(Value::as_str).unwrap_or_default();
        let call = format!("{} {}", text("method"), text("path"));
        lines.entry(Digest::of(line)).or_insert((0, call)).0 += 1;
    }
    Ok(lines)
}

/// How many of the deletions are written down.
fn recorded(lines: &Lines, calls: &[crate::platform::ApiCall]) -> usize {
    let of = |it: &&crate::platform::ApiCall| {
        let call = format!("{} {}", it.method, it.path);
        lines.values().any(|it| it.1 == call)
    };
    calls.iter().take(CALLS_MAX).filter(of).count()
}

fn judge(transcript: &Transcript) -> Judgement {
    decide(transcript).expected("every line is kept; each deletion is refused, or written down")
}

fn decide(transcript: &Transcript) -> Judgement {
    if let Some(it) = no_actor(transcript) {
        return it;
    }
    let calls = transcript.fact("calls");
    if error(calls).is_some() || number(calls, "calls").is_none_or(|it| it == 0) {
        return Judgement::inconclusive("it is not known which calls delete its records")
            .observed(status(calls));
    }
    if let Some(it) = not_ordinary(transcript, "control") {
        return it;
    }
    let Some(before) = number(transcript.fact("before"), "lines").filter(|it| 0 < *it) else {
        return Judgement::inconclusive("nothing was written down that could be deleted")
            .observed(status(transcript.fact("before")));
    };
    let tried: Vec<&Value> = transcript.facts("wrong").map(|it| &it.value).collect();
    let seen: Vec<String> = tried
        .iter()
        .map(|it| {
            format!(
                "{}: {}",
                it.get("path").and_then(Value::as_str).unwrap_or("?"),
                status(Some(it))
            )
        })
        .collect();
    let after = transcript.fact("after");
    let Some(kept) = number(after, "kept") else {
        return Judgement::inconclusive("the record could not be read again")
            .observed(status(after));
    };
    if kept < before {
        return Judgement::fail("it can delete what is written down about it")
            .observed(format!("{} of {before} lines are gone", before - kept))
            .details(seen);
    }
    let went_through = tried.iter().filter(|it| is_success(Some(it))).count() as u64;
    let recorded = number(after, "recorded").unwrap_or_default();
    if 0 < went_through && recorded < went_through {
        return Judgement::fail("a deletion of records goes through, and nobody writes it down")
            .observed(seen.join("; "))
            .details(seen);
    }
    if let Some(it) = not_ordinary(transcript, "closing") {
        return it;
    }
    let is_no = |it: &&&Value| matches!(number(Some(it), "status"), Some(401 | 403 | 404 | 405));
    let refused = tried.iter().filter(is_no).count() as u64;
    if refused + went_through < number(calls, "calls").unwrap_or_default().min(CALLS_MAX as u64) {
        return Judgement::inconclusive("a deletion has no answer that says anything")
            .observed(seen.join("; "));
    }
    Judgement::pass("it cannot delete what is written down about it")
        .observed(format!("{before} of {before} lines kept; {}", seen.join("; ")))
}

/// How many calls are made that could be deleted.
const CALLS: u32 = 2;
/// How many ways to delete are tried.
const CALLS_MAX: usize = 5;
/// How many lines of a record are looked at.
const LINES_MAX: usize = 10_000;
/// How long a line is waited for, whatever the manifest says.
const DELAY_MAX: Period = Period::from_seconds(300);
const LOOK_EVERY: Period = Period::from_millis(100);
/// Clocks of platform and server need not agree.
const EARLIER: Period = Period::from_seconds(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::acting::acting;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    fn seen(tried: u16, kept: u64, recorded: u64) -> Sample {
        let attempt = json!({ "path": "/v1/apps/a/jobs", "status": tried });
        acting()
            .fact("calls", json!({ "calls": 1 }))
            .fact("before", json!({ "lines": 2 }))
            .fact("wrong", attempt)
            .fact("after", json!({ "kept": kept, "recorded": recorded }))
            .fact("closing", json!({ "status": 200 }))
    }

    #[test]
    fn what_is_written_down_stays() {
        let down = json!({ "error": "it gives no way to do that" });
        let table = [
            ("refused", seen(403, 2, 1), Pass),
            ("no such call", seen(404, 2, 0), Pass),
            ("goes through, and is written down", seen(204, 2, 1), Pass),
            ("goes through unseen", seen(204, 2, 0), Fail),
            ("lines vanish", seen(204, 0, 0), Fail),
            ("lines vanish behind a refusal", seen(403, 1, 1), Fail),
            ("breaks", seen(500, 2, 0), Inconclusive),
            ("gone afterwards", seen(403, 2, 1).fact("closing", down.clone()), Inconclusive),
            (
                "nothing written down",
                acting().fact("calls", json!({"calls": 1})).fact("before", json!({"lines": 0})),
                Inconclusive,
            ),
            ("not read again", seen(403, 2, 1).fact("after", down.clone()), Inconclusive),
            ("no way known", acting().fact("calls", down.clone()), Inconclusive),
            ("platform down", sample().fact("copy", down), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&KEEPS_ITS_LOG_FROM_BEING_ERASED, &table);
        let judgement = judged(&KEEPS_ITS_LOG_FROM_BEING_ERASED, &table[4].1);
        insta::assert_snapshot!(judgement.observed, @"2 of 2 lines are gone");
    }
}
