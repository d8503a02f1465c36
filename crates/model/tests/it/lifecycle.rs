//! The state of an integration, at moments of small stories.

use countersign_model::check::Outcome;
use countersign_model::event::Event;
use countersign_model::lifecycle::status;
use countersign_model::registry::Registry;
use countersign_model::revoke::WithdrawalKind::{Revoke, Suspend};
use countersign_model::time::Period;

use crate::story::{assessed, at, certified, resume, submitted, withdrawn};

fn told(events: &[Event], seconds: i64) -> String {
    let registry = Registry::fold(events);
    let record = registry.find("acme-helpdesk").unwrap();
    let status = status(at(seconds), record, Period::from_seconds(100));
    let admits = if status.admits_until.is_some() { "admits" } else { "denies" };
    format!("{} {admits} {:?}", status.state.word(), status.reasons)
}

#[test]
fn states_follow_from_events_and_time() {
    let clean = || vec![submitted(0, 1), assessed(1, 1, Outcome::Pass, 1_000), certified(2, 1, 1)];
    let with = |more: &[Event]| [clean(), more.to_vec()].concat();
    let stories = [
        ("submitted", vec![submitted(0, 1)], 5),
        ("failing", vec![submitted(0, 1), assessed(1, 1, Outcome::Fail, 9)], 5),
        ("waiting for time", vec![submitted(0, 1), assessed(1, 1, Outcome::Waiting, 9)], 5),
        ("not run", vec![submitted(0, 1), assessed(1, 1, Outcome::Open, 9)], 5),
        ("all pass", vec![submitted(0, 1), assessed(1, 1, Outcome::Pass, 9)], 5),
        ("certified", clean(), 5),
        ("evidence stale, in grace", clean(), 1_050),
        ("evidence stale, grace over", clean(), 1_101),
        ("decision over", clean(), 90_000),
        ("changed, in grace", with(&[submitted(10, 2)]), 50),
        ("changed, grace over", with(&[submitted(10, 2)]), 110),
        ("changed and changed back", with(&[submitted(10, 2), submitted(20, 1)]), 500),
        ("checked again, fails", with(&[assessed(10, 1, Outcome::Fail, 9)]), 50),
        (
            "checked again, fails again",
            with(&[assessed(10, 1, Outcome::Fail, 9), assessed(90, 1, Outcome::Fail, 9)]),
            110,
        ),
        (
            "failed, then not judged",
            with(&[assessed(10, 1, Outcome::Fail, 9), assessed(20, 1, Outcome::Inconclusive, 9)]),
            50,
        ),
        (
            "failed, then passes",
            with(&[assessed(10, 1, Outcome::Fail, 9), assessed(20, 1, Outcome::Pass, 9)]),
            50,
        ),
        ("suspended", with(&[withdrawn(10, Suspend, Some(20))]), 15),
        ("suspension ran out", with(&[withdrawn(10, Suspend, Some(20))]), 20),
        ("suspension ran out, stale", with(&[withdrawn(10, Suspend, Some(20))]), 1_050),
        ("one person resumes", with(&[withdrawn(10, Suspend, None), resume(11, 10, 2)]), 15),
        (
            "one person resumes twice",
            with(&[withdrawn(10, Suspend, None), resume(11, 10, 2), resume(12, 10, 2)]),
            15,
        ),
        (
            "two people resume",
            with(&[withdrawn(10, Suspend, None), resume(11, 10, 2), resume(12, 10, 3)]),
            15,
        ),
        ("revoked", with(&[withdrawn(10, Revoke, None)]), 15),
        (
            "revoked, two people resume",
            with(&[withdrawn(10, Revoke, None), resume(11, 10, 2), resume(12, 10, 3)]),
            15,
        ),
        ("revoked and submitted again", with(&[withdrawn(10, Revoke, None), submitted(11, 1)]), 15),
    ];
    let lines: Vec<String> = stories
        .iter()
        .map(|(name, events, seconds)| format!("{name}: {}", told(events, *seconds)))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    submitted: submitted denies []
    failing: checking denies ["CTS-SCP-01"]
    waiting for time: observing denies ["CTS-SCP-01"]
    not run: checking denies ["CTS-SCP-01"]
    all pass: in-review denies []
    certified: certified admits []
    evidence stale, in grace: due admits ["evidence-stale"]
    evidence stale, grace over: lapsed denies ["evidence-stale"]
    decision over: lapsed denies ["expired"]
    changed, in grace: due admits ["scope-added"]
    changed, grace over: lapsed denies ["scope-added"]
    changed and changed back: certified admits []
    checked again, fails: due admits ["CTS-SCP-01"]
    checked again, fails again: lapsed denies ["CTS-SCP-01"]
    failed, then not judged: due admits ["CTS-SCP-01"]
    failed, then passes: certified admits []
    suspended: suspended denies ["suspended"]
    suspension ran out: certified admits []
    suspension ran out, stale: lapsed denies ["evidence-stale"]
    one person resumes: suspended denies ["suspended"]
    one person resumes twice: suspended denies ["suspended"]
    two people resume: certified admits []
    revoked: revoked denies ["revoked"]
    revoked, two people resume: revoked denies ["revoked"]
    revoked and submitted again: revoked denies ["revoked"]
    "#);
}

#[test]
fn an_event_about_something_unknown_changes_nothing() {
    let mut registry = Registry::default();
    registry.apply(&certified(0, 1, 1));
    assert!(registry.integrations.is_empty());
    assert_eq!(registry.size, 1);
}
