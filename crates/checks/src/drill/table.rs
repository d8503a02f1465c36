//! What a drill shows: a row for each thing that it tried, read back from the evidence of its checks.

use countersign_model::check::{Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use countersign_model::revoke::DrillPart;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rotation::Seen;
use super::suspended::paths;
use super::tries::OPEN;
use super::{audit, load};

/// The checks that a part of a drill is a run of.
pub fn checks(part: DrillPart) -> &'static [&'static str] {
    match part {
        DrillPart::Audit => &["writes_down_every_act", "records_every_action_of_the_account"],
        DrillPart::KillSwitch => &["denies_every_path_when_suspended"],
        DrillPart::Offboard => &["leaves_nothing_behind_when_offboarded"],
        DrillPart::Rotate => &[
            "serves_every_call_while_a_key_is_changed",
            "rotates_without_a_person",
            "refuses_old_credential_after_rotation",
        ],
        DrillPart::Subscription => &["stops_events_when_disabled"],
    }
}

/// The part that a check belongs to; none where no drill runs it.
pub fn part_of(check: &str) -> Option<DrillPart> {
    DrillPart::ALL.into_iter().find(|it| checks(*it).contains(&check))
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillRow {
    /// What it belongs to.
    pub part: DrillPart,
    /// What was tried: `token-mint`, `new key`.
    pub path: String,
    /// Of what: `sa:payrun-scim`.
    pub subject: String,
    /// How soon it has to be so, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_ms: Option<u64>,
    /// How soon it was, in milliseconds; none where no time was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now_ms: Option<u64>,
    /// Whether the target was met; none where that could not be seen.
    pub met: Option<bool>,
    /// What was seen, in words.
    pub seen: String,
}

/// The rows of what one check saw and concluded. None for what does not apply, or is no drill's.
pub fn rows(transcript: &Transcript, judgement: &Judgement, manifest: &Manifest) -> Vec<DrillRow> {
    let Some(part) = part_of(&transcript.check) else { return Vec::new() };
    if judgement.verdict == Verdict::NotApplicable {
        return Vec::new();
    }
    let mut rows = match transcript.check.as_str() {
        "denies_every_path_when_suspended" => of_paths(transcript),
        "serves_every_call_while_a_key_is_changed" => {
            let seen = load::figures(transcript).map(|it| format!("{}: {it}", judgement.sentence));
            let row = whole(part, "load", transcript, judgement);
            vec![DrillRow { seen: seen.unwrap_or_else(|| row.seen.clone()), ..row }]
        }
        "writes_down_every_act" => vec![DrillRow {
            target_ms: transcript.number("max_delay_ms"),
            now_ms: audit::found_after(transcript).filter(|_| met(judgement) == Some(true)),
            ..whole(part, "acts", transcript, judgement)
        }],
        "rotates_without_a_person" => vec![new_key(transcript, judgement)],
        "refuses_old_credential_after_rotation" => vec![old_key(transcript, judgement)],
        "stops_events_when_disabled" => vec![last_delivery(transcript, judgement)],
        "leaves_nothing_behind_when_offboarded" => vec![residue(transcript, judgement, manifest)],
        _ => {
            let target_ms = Some(manifest.logging.max_delay.millis());
            vec![DrillRow { target_ms, ..whole(part, "log", transcript, judgement) }]
        }
    };
    // What the check concluded stands: where no row tells it, it gets one of its own.
    let told = rows.iter().any(|it| it.met == met(judgement));
    if !told && judgement.verdict != Verdict::Pass {
        rows.push(whole(part, "conclusion", transcript, judgement));
    }
    rows
}

fn met(judgement: &Judgement) -> Option<bool> {
    match judgement.verdict {
        Verdict::Pass => Some(true),
        Verdict::Fail => Some(false),
        Verdict::Inconclusive | Verdict::NotApplicable => None,
    }
}

/// One row for all that a check saw.
fn whole(part: DrillPart, path: &str, transcript: &Transcript, judgement: &Judgement) -> DrillRow {
    let seen = match (judgement.verdict, judgement.observed.as_str()) {
        (_, "") => judgement.sentence.clone(),
        (Verdict::Pass, observed) => observed.to_owned(),
        (_, observed) => format!("{}: {observed}", judgement.sentence),
    };
    DrillRow {
        part,
        path: path.to_owned(),
        subject: transcript.subject.clone(),
        target_ms: None,
        now_ms: None,
        met: met(judgement),
        seen,
    }
}

fn of_paths(transcript: &Transcript) -> Vec<DrillRow> {
    let each = paths(transcript).into_iter().map(|it| {
        let (path, subject) = it.path.split_once(' ').unwrap_or((it.path.as_str(), ""));
        DrillRow {
            part: DrillPart::KillSwitch,
            path: path.to_owned(),
            subject: subject.to_owned(),
            target_ms: Some(it.limit_ms),
            now_ms: it.shut_after_ms,
            met: it.met,
            seen: it.seen,
        }
    });
    each.collect()
}

fn new_key(transcript: &Transcript, judgement: &Judgement) -> DrillRow {
    DrillRow {
        target_ms: transcript.number("finish_ms"),
        now_ms: Seen::of(transcript).ok().and_then(|it| it.new_after_ms),
        ..whole(DrillPart::Rotate, "new-key", transcript, judgement)
    }
}

fn old_key(transcript: &Transcript, judgement: &Judgement) -> DrillRow {
    DrillRow {
        target_ms: transcript.number("finish_ms"),
        now_ms: Seen::of(transcript).ok().and_then(|it| it.gone_after_ms),
        ..whole(DrillPart::Rotate, "old-key", transcript, judgement)
    }
}

/// When the last event was delivered after the command; 0 where none was.
fn last_delivery(transcript: &Transcript, judgement: &Judgement) -> DrillRow {
    let late = transcript.facts("late").filter_map(|it| it.value.get("after_ms")?.as_u64());
    let listened = transcript.fact("listened").is_some();
    let last = late.max().or(listened.then_some(0));
    DrillRow {
        target_ms: transcript.number("within_ms"),
        now_ms: last,
        ..whole(DrillPart::Subscription, "event-out", transcript, judgement)
    }
}

/// What still answers after an end; all of it is named.
fn residue(transcript: &Transcript, judgement: &Judgement, manifest: &Manifest) -> DrillRow {
    let tries = || transcript.facts("after").map(|it| &it.value);
    let text = |fact: &Value, name: &str| {
        fact.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let left: Vec<String> =
        tries().filter(|it| text(it, "came") == OPEN).map(|it| text(it, "path")).collect();
    let row = whole(DrillPart::Offboard, "residue", transcript, judgement);
    let seen =
        if left.is_empty() { row.seen } else { format!("still answers: {}", left.join(", ")) };
    DrillRow {
        target_ms: Some(manifest.revocation.deny_within.millis()),
        now_ms: tries().filter_map(|it| it.get("after_ms")?.as_u64()).max(),
        seen,
        ..row
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::declare::{Format, parse};
    use serde_json::json;

    use super::*;
    use crate::registry;
    use crate::sample::{Sample, judged, sample};

    fn shown(check: &str, sample: &Sample) -> String {
        let manifest = parse(crate::fact::SAAS, Format::Toml).unwrap().manifest;
        let check = registry::find(check).unwrap();
        let line = |it: DrillRow| {
            let ms = |it: Option<u64>| it.map_or("-".to_owned(), |it| it.to_string());
            let met = it.met.map_or("?", |it| if it { "met" } else { "missed" });
            let (part, path, subject) = (it.part, it.path, it.subject);
            let (target, now, seen) = (ms(it.target_ms), ms(it.now_ms), it.seen);
            format!("{part} {path} {subject}: {met} {now} of {target} | {seen}")
        };
        let transcript =
            Transcript { check: check.info().name.to_owned(), ..sample.transcript().clone() };
        let rows = rows(&transcript, &judged(check, sample), &manifest);
        rows.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn path(path: &str, came: &str, after_ms: u64) -> Value {
        json!({ "path": path, "came": came, "seen": "HTTP", "after_ms": after_ms })
    }

    #[test]
    fn every_path_has_its_row_and_the_conclusion_stands() {
        let mint = "token-mint oauth:a";
        let open = || {
            sample()
                .setting("paths", json!([mint]))
                .setting("deny_within_ms", 5_000)
                .fact("open", path(mint, "open", 0))
        };
        let shut = |ms| open().fact("shut", path(mint, "shut", ms));
        let check = "denies_every_path_when_suspended";
        insta::assert_snapshot!(
            shown(check, &shut(410).fact("restored", path(mint, "open", 0))), @"kill-switch token-mint oauth:a: met 410 of 5000 | refused after 0.41 s (HTTP)"
        );
        insta::assert_snapshot!(shown(check, &open().fact("shut", path(mint, "open", 5_010))), @"kill-switch token-mint oauth:a: missed - of 5000 | HTTP after 5.01 s");
        insta::assert_snapshot!(shown(check, &shut(410)), @"kill-switch token-mint oauth:a: ? 410 of 5000 | refused after 0.41 s, and not back: not tried again");
        insta::assert_snapshot!(
            shown(
                check,
                &shut(410).fact("restored", path(mint, "open", 0)).fact("risen", json!("a token"))
            ), @r"
            kill-switch token-mint oauth:a: met 410 of 5000 | refused after 0.41 s (HTTP)
            kill-switch conclusion sub:sample: missed - of - | a token from before is alive again after a suspension: a token
            "
        );
        insta::assert_snapshot!(shown(check, &sample()), @"kill-switch conclusion sub:sample: ? - of - | no path was looked at");
    }

    #[test]
    fn what_is_left_is_named() {
        let check = "leaves_nothing_behind_when_offboarded";
        let ended = |came| {
            sample()
                .setting("has_copy", true)
                .fact("before", path("token at the API", "open", 0))
                .fact("after", path("token at the API", came, 700))
        };
        insta::assert_snapshot!(shown(check, &ended("open")), @"offboard residue sub:sample: missed 700 of 5000 | still answers: token at the API");
        insta::assert_snapshot!(shown(check, &ended("shut")), @"offboard residue sub:sample: met 700 of 5000 | 0 of 1 ways still answer after 0.70 s (token at the API)");
    }

    #[test]
    fn every_part_is_a_run_of_checks_that_exist() {
        for part in DrillPart::ALL {
            for check in checks(part) {
                assert!(registry::find(check).is_some(), "{part}: {check}");
                assert_eq!(part_of(check), Some(part));
            }
        }
    }
}
