//! Does an old event leave a disabled account disabled?
//!
//! Events arrive late and out of order, and attackers keep them. A canary's account is disabled; then an event
//! arrives that enabled it an hour earlier. Its key must stay refused, until an event of now enables it.
//!
//! Source: CAEP 1.0, event_timestamp; RISC 1.0, account-enabled; SET-10.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::Period;
use serde_json::json;

use super::access::{ended, push, unless_used, uses};
use super::judge::{last, last_fact, not_begun, placed, words};
use super::visit::visit;
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does an old event leave a disabled account disabled?
#[derive(Debug, Clone, Copy)]
pub struct IgnoresStaleEnable;

const STALE: Period = Period::from_hours(1);
const EXPECTED: &str =
    "the key stays refused (401 or 403) until an event of now enables the account";

#[async_trait::async_trait]
impl Check for IgnoresStaleEnable {
    fn info(&self) -> &'static Info {
        &Info {
            name: "ignores_stale_enable",
            case: Some("SET-10"),
            controls: &["CTS-SET-01"],
            question: "Does an old event leave a disabled account disabled?",
            sends: "`account-disabled` as of now, `account-enabled` as of an hour ago, `account-enabled` as of now, each about a canary whose key is used in between.",
            passes: "The key is refused after the first event and after the second, and taken again after the third.",
            risk: "An event that was kept or came late gives a locked-out person access again.",
            fix: "Keep the `event_timestamp` of the last event of each subject, and ignore what is older.",
            source: "CAEP 1.0, event_timestamp; RISC 1.0, account-enabled; SET-10.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        super::subjects_with(manifest, &["account-disabled", "account-enabled"])
    }

    fn exclusive(&self, subject: &str, manifest: &Manifest) -> Option<String> {
        super::exclusive(subject, manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some((_, event)) = super::subscription(manifest, subject) else { return };
        let Some(mut visit) = visit(subject, manifest, talk).await else { return };
        let Some(canary) = visit.open("open", event).await else { return };
        if !uses(&mut visit, event, "access-before", &canary.key).await {
            return;
        }
        let disable = ("account-disabled", canary.subject.as_str(), json!({}));
        if !push(&mut visit, "disable", disable, Period::default()).await
            || !ended(&mut visit, event, &canary.key).await
        {
            return;
        }
        let enable = || ("account-enabled", canary.subject.as_str(), json!({}));
        push(&mut visit, "stale", enable(), STALE).await;
        visit.listen().await;
        uses(&mut visit, event, "access-stale", &canary.key).await;
        push(&mut visit, "enable", enable(), Period::default()).await;
        visit.listen().await;
        uses(&mut visit, event, "access-after", &canary.key).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        placed(transcript, judged(transcript).expected(EXPECTED))
    }
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(judgement) =
        not_begun(transcript).or_else(|| unless_used(transcript, "access-before"))
    {
        return judgement;
    }
    let ended = last_fact(transcript, "ended").and_then(|it| it.get("ended")?.as_bool());
    if ended != Some(true) {
        let observed = last(transcript, "access-ended").map(|it| it.answer.words());
        return Judgement::inconclusive("a disabled account is not refused in time")
            .observed(observed.unwrap_or_default());
    }
    let stale = last(transcript, "access-stale");
    if stale.is_some_and(|it| it.answer.is_success()) {
        let judgement = Judgement::fail("an old event enables a disabled account")
            .observed("the key is taken again after `account-enabled` as of an hour ago");
        return match transcript.text("repeat.stale") {
            Some(repeat) => judgement.repeat(repeat),
            None => judgement,
        };
    }
    if !stale.is_some_and(|it| matches!(it.answer.status(), Some(401 | 403))) {
        let observed = stale.map_or("nothing was sent".to_owned(), |it| words(&it.answer));
        return Judgement::inconclusive("the key gets no clear answer").observed(observed);
    }
    // A key that no event brings back would be refused after the stale one, too.
    if let Some(judgement) = unless_used(transcript, "access-after") {
        return judgement;
    }
    let said = last(transcript, "stale").map(|it| words(&it.answer)).unwrap_or_default();
    Judgement::pass("an old event leaves a disabled account disabled")
        .observed(format!("{said} for the old event, the key stays refused"))
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, judges, sample};

    fn seen(before: u16, is_ended: bool, stale: u16, after: u16) -> Sample {
        sample()
            .answered("access-before", before, "")
            .answered("disable", 202, "")
            .answered("access-ended", if is_ended { 401 } else { 200 }, "")
            .fact("ended", json!({ "ended": is_ended, "ms": 90 }))
            .answered("stale", 202, "")
            .answered("access-stale", stale, "")
            .answered("access-after", after, "")
    }

    #[test]
    fn an_old_event_must_change_nothing_and_a_new_one_must() {
        let table = [
            ("ignored", seen(200, true, 401, 200), Pass),
            ("believed", seen(200, true, 200, 200), Fail),
            ("never comes back", seen(200, true, 401, 401), Inconclusive),
            ("never ends", seen(200, false, 200, 200), Inconclusive),
            ("no control", seen(401, true, 401, 401), Inconclusive),
            ("breaks", seen(200, true, 500, 200), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        judges(&IgnoresStaleEnable, &table);
    }
}
