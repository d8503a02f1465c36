//! What was offboarded is tried again: what is owed, what is missing, what came back.

use countersign_model::check::verdict::{Owed, Verdict};
use countersign_model::check::{ControlOutcome, Outcome};
use countersign_model::event::{Event, What};
use countersign_model::id::{AssessmentId, DrillId, EvidenceId};
use countersign_model::lifecycle::status;
use countersign_model::monitor::sweep::{Gone, OF_CLIENT_MAX, OF_INTEGRATION_MAX, Watch};
use countersign_model::registry::{Record, Registry, came_back};
use countersign_model::require::requirement::Level;
use countersign_model::revoke::WithdrawalKind::{Revoke, Suspend};
use countersign_model::time::Period;
use countersign_seal::Digest;

use crate::story::{assessed, at, certified, integration, manifest, submitted, withdrawn};

const DAY: &str = "T+24 h";
const MONTH: &str = "T+30 d";

fn drill(number: u8) -> DrillId {
    DrillId::new(at(0), [number; 10])
}

/// In this story a day is 100 seconds, and a month 1 000; a look may be 20 and 50 late.
fn kept(seconds: i64, number: u8, subject: &str) -> Event {
    let owed = |what: &str, due: i64, late: i64| Owed {
        what: what.to_owned(),
        due: at(seconds + due),
        by: at(seconds + due + late),
    };
    let watch = Watch {
        drill: drill(number),
        check: "stays_gone".to_owned(),
        subject: subject.to_owned(),
        controls: vec!["CTS-SCP-01".to_owned()],
        manifest: manifest(1),
        began: at(seconds),
        sweeps: vec![owed(DAY, 100, 20), owed(MONTH, 1_000, 50)],
        until: at(seconds + 1_100),
    };
    let what = What::CanariesKept {
        integration: integration(),
        assessment: AssessmentId::new(at(seconds), [2; 10]),
        watch,
        replaces: Vec::new(),
    };
    Event::new(at(seconds), None, what)
}

fn swept(seconds: i64, number: u8, sweep: &str, verdict: Verdict) -> Event {
    let what = What::Swept {
        integration: integration(),
        drill: drill(number),
        sweep: sweep.to_owned(),
        verdict,
        evidence: EvidenceId::new(at(seconds), [8; 10]),
        digest: Digest::of(b"evidence"),
        trigger: (verdict == Verdict::Fail).then(|| "offboarding-failed".to_owned()),
    };
    Event::new(at(seconds), None, what)
}

fn gone(seconds: i64, number: u8, why: Gone) -> Event {
    let what = What::SweepsEnded { integration: integration(), drill: drill(number), why };
    Event::new(at(seconds), None, what)
}

fn record(events: &[Event]) -> Record {
    Registry::fold(events).find("acme-helpdesk").unwrap().clone()
}

fn told(events: &[Event], seconds: i64) -> String {
    let status = status(at(seconds), &record(events), Period::from_seconds(200));
    let admits = if status.admits_until.is_some() { "admits" } else { "denies" };
    format!("{} {admits} {:?}", status.state.word(), status.reasons)
}

/// Checked at 1 by a drill of one client, certified at 2, unless it is said otherwise.
fn story(more: &[Event]) -> Vec<Event> {
    let first = [submitted(0, 1), assessed(1, 1, Outcome::Pass, 90_000), kept(1, 1, "oauth:a")];
    [&first[..], &[certified(2, 1, 30)], more].concat()
}

fn unsigned(more: &[Event]) -> Vec<Event> {
    let first = [submitted(0, 1), assessed(1, 1, Outcome::Pass, 90_000), kept(1, 1, "oauth:a")];
    [&first[..], more].concat()
}

#[test]
fn what_is_owed_lets_a_certificate_be_and_what_is_missing_or_comes_back_does_not() {
    use Verdict::{Fail, Inconclusive, Pass};
    let day = || swept(101, 1, DAY, Pass);
    let stories = [
        ("owed, not certified yet", unsigned(&[]), 50),
        ("overdue before anybody certified", unsigned(&[]), 121),
        ("made late before anybody certified", unsigned(&[swept(150, 1, DAY, Pass)]), 160),
        ("came back before anybody certified", unsigned(&[swept(101, 1, DAY, Fail)]), 110),
        ("owed", story(&[]), 100),
        ("due, and not overdue", story(&[]), 120),
        ("overdue", story(&[]), 121),
        ("overdue, grace over", story(&[]), 321),
        ("made", story(&[day()]), 500),
        ("made late", story(&[swept(150, 1, DAY, Pass)]), 160),
        ("not to be judged", story(&[swept(121, 1, DAY, Inconclusive)]), 130),
        (
            "not to be judged, then made",
            story(&[swept(121, 1, DAY, Inconclusive), swept(140, 1, DAY, Pass)]),
            150,
        ),
        ("the month is overdue", story(&[day()]), 1_051),
        ("all made", story(&[day(), swept(1_001, 1, MONTH, Pass)]), 9_000),
        ("came back", story(&[swept(101, 1, DAY, Fail)]), 110),
        ("came back, grace over", story(&[swept(101, 1, DAY, Fail)]), 301),
        ("came back after a month", story(&[day(), swept(1_001, 1, MONTH, Fail)]), 1_010),
        ("lost", story(&[gone(50, 1, Gone::Lost)]), 51),
        ("missed", story(&[gone(1_100, 1, Gone::Missed)]), 1_101),
        ("lost, and drilled anew", story(&[gone(50, 1, Gone::Lost), kept(60, 2, "oauth:a")]), 61),
        (
            "lost, and another client drilled",
            story(&[gone(50, 1, Gone::Lost), kept(60, 2, "oauth:b")]),
            61,
        ),
        ("an older drill is overdue", story(&[kept(110, 2, "oauth:a")]), 150),
        ("the younger one is too", story(&[kept(110, 2, "oauth:a")]), 231),
        ("changed and changed back, overdue", story(&[submitted(20, 2), submitted(30, 1)]), 121),
        ("suspended", story(&[withdrawn(10, Suspend, None)]), 130),
        ("revoked", story(&[withdrawn(10, Revoke, None)]), 130),
    ];
    let lines: Vec<String> = stories
        .iter()
        .map(|(name, events, seconds)| format!("{name}: {}", told(events, *seconds)))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    owed, not certified yet: in-review denies []
    overdue before anybody certified: checking denies ["sweep-overdue"]
    made late before anybody certified: in-review denies []
    came back before anybody certified: checking denies ["CTS-SCP-01"]
    owed: certified admits []
    due, and not overdue: certified admits []
    overdue: due admits ["sweep-overdue"]
    overdue, grace over: lapsed denies ["sweep-overdue"]
    made: certified admits []
    made late: certified admits []
    not to be judged: due admits ["sweep-overdue"]
    not to be judged, then made: certified admits []
    the month is overdue: due admits ["sweep-overdue"]
    all made: certified admits []
    came back: due admits ["offboarding-failed", "CTS-SCP-01"]
    came back, grace over: lapsed denies ["offboarding-failed", "CTS-SCP-01"]
    came back after a month: due admits ["offboarding-failed", "CTS-SCP-01"]
    lost: due admits ["canaries-lost"]
    missed: lapsed denies ["sweep-overdue"]
    lost, and drilled anew: certified admits []
    lost, and another client drilled: due admits ["canaries-lost"]
    an older drill is overdue: certified admits []
    the younger one is too: due admits ["sweep-overdue"]
    changed and changed back, overdue: due admits ["sweep-overdue"]
    suspended: suspended denies ["suspended"]
    revoked: revoked denies ["revoked"]
    "#);
}

#[test]
fn a_gate_that_hears_nothing_goes_on_no_longer_than_one_that_does() {
    let events = story(&[]);
    let record = record(&events);
    let grace = Period::from_seconds(200);
    let until = status(at(5), &record, grace).admits_until.unwrap();
    assert_eq!(until, at(321), "the day's look is overdue at 121");
    assert_eq!(status(at(121), &record, grace).admits_until, Some(until));
}

#[test]
fn what_came_back_is_laid_when_a_later_drill_has_stayed_away_as_long() {
    use Verdict::{Fail, Pass};
    let back = |more: &[Event]| {
        let first = [swept(101, 1, DAY, Pass), swept(1_001, 1, MONTH, Fail)];
        record(&story(&[&first[..], more].concat()))
    };
    let declared = |it: &str| it == "oauth:a";
    let is_back = |record: &Record| came_back(&record.came_back, "oauth:a", declared).is_some();
    let again = || kept(1_100, 2, "oauth:a");
    assert!(is_back(&back(&[])));
    assert!(is_back(&back(&[again()])), "a new drill alone says nothing");
    assert!(is_back(&back(&[again(), swept(1_200, 2, DAY, Pass)])), "a day is less than a month");
    let whole = [again(), swept(1_200, 2, DAY, Pass), swept(2_100, 2, MONTH, Pass)];
    assert!(!is_back(&back(&whole)));
    // A drill that began before it came back had nothing mended yet.
    let earlier =
        [kept(900, 2, "oauth:a"), swept(1_000, 2, DAY, Pass), swept(1_901, 2, MONTH, Pass)];
    let events = [
        &[swept(101, 1, DAY, Pass)][..],
        &earlier[..2],
        &[swept(1_001, 1, MONTH, Fail)],
        &earlier[2..],
    ];
    assert!(is_back(&record(&story(&events.concat()))));
    // Under another name it is the same client.
    let renamed = back(&[kept(1_100, 2, "oauth:b")]);
    let declared = |it: &str| it == "oauth:b";
    assert!(came_back(&renamed.came_back, "oauth:b", declared).is_some());
    let laid =
        [kept(1_100, 2, "oauth:b"), swept(1_200, 2, DAY, Pass), swept(2_100, 2, MONTH, Pass)];
    assert!(came_back(&back(&laid).came_back, "oauth:b", declared).is_none());
    // What came back of one client says nothing about another that is still there.
    let both = |it: &str| ["oauth:a", "oauth:b"].contains(&it);
    assert!(came_back(&back(&[]).came_back, "oauth:b", both).is_none());
}

#[test]
fn a_pass_of_the_checks_alone_mends_what_came_back_only_once_it_is_laid() {
    let back = story(&[swept(101, 1, DAY, Verdict::Fail)]);
    let with = |outcome| [&back[..], &[assessed(110, 1, outcome, 90_000)]].concat();
    // While it is not laid, a run says that it waits.
    assert_eq!(
        told(&with(Outcome::Waiting), 111),
        "due admits [\"offboarding-failed\", \"CTS-SCP-01\"]"
    );
    assert_eq!(told(&with(Outcome::Pass), 111), "due admits [\"offboarding-failed\"]");
    assert_eq!(record(&with(Outcome::Pass)).swept_away(at(111)), ["CTS-SCP-01"]);
}

#[test]
fn so_many_are_watched_and_the_oldest_come_to_their_end() {
    let mut events = story(&[]);
    for number in 2..=20 {
        let seconds = i64::from(number) * 2;
        let replaced = record(&events).replaced_by(&["oauth:a".to_owned()]);
        let mut event = kept(seconds, number, "oauth:a");
        if let What::CanariesKept { replaces, .. } = &mut event.what {
            *replaces = replaced;
        }
        events.push(event);
        assert!(record(&events).watches.len() <= OF_CLIENT_MAX);
    }
    let record = record(&events);
    let watched: Vec<&DrillId> = record.watches.keys().collect();
    assert_eq!(watched, [&drill(1), &drill(2), &drill(3), &drill(20)]);

    // A client under a name of its own in each run finds its end as well.
    let mut events = story(&[]);
    for number in 2..=100 {
        let subject = format!("oauth:{number}");
        let replaced = self::record(&events).replaced_by(std::slice::from_ref(&subject));
        let mut event = kept(i64::from(number) * 2, number, &subject);
        if let What::CanariesKept { replaces, .. } = &mut event.what {
            *replaces = replaced;
        }
        events.push(event);
    }
    let record = self::record(&events);
    assert_eq!(record.watches.len(), OF_INTEGRATION_MAX);
    assert!(record.watches.contains_key(&drill(1)), "a certificate rests on it");
    assert!(record.watches.contains_key(&drill(100)));
}

#[test]
fn a_control_that_need_not_hold_is_in_nobodys_way() {
    let observed = |level, outcome| {
        let mut events = story(&[]);
        if let What::Assessed { outcomes, .. } = &mut events[1].what {
            *outcomes = vec![ControlOutcome { level, outcome, ..outcomes[0].clone() }];
        }
        events
    };
    for (level, outcome) in [(Level::Observe, Outcome::Pass), (Level::Required, Outcome::Waived)] {
        let told = told(&observed(level, outcome), 121);
        assert!(!told.contains("sweep-overdue"), "{level} {outcome:?}: {told}");
    }
    let mut events = observed(Level::Observe, Outcome::Pass);
    events.push(swept(101, 1, DAY, Verdict::Fail));
    assert_eq!(told(&events, 110), "certified admits []");
}

#[test]
fn an_event_about_a_drill_that_nobody_watches_changes_nothing() {
    let before = record(&story(&[]));
    for event in [
        swept(101, 9, DAY, Verdict::Fail),
        swept(101, 1, "T+1 y", Verdict::Fail),
        gone(101, 9, Gone::Lost),
    ] {
        assert_eq!(record(&story(std::slice::from_ref(&event))), before, "{event:?}");
    }
}
