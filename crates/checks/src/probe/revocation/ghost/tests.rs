use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};

use super::judge::{CAME_BACK, CONTROL, KEPT, LATER};
use super::{STAYS_GONE_AFTER_OFFBOARDING, owed};
use crate::drill::tries::{OPEN, SHUT, UNABLE, UNCLEAR};
use crate::probe::acting::acting;
use crate::sample::{Sample, judged, judges, sample};

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

fn began() -> Timestamp {
    Timestamp::from_seconds(1_795_489_511)
}

fn kept(sample: Sample) -> Sample {
    sample.fact(KEPT, json!({ "owed": owed(began()), "until": began() + super::KEPT_MAX }))
}

fn down() -> Value {
    json!({ "error": "it cannot be reached" })
}

#[test]
fn gone_is_gone_at_every_sweep() {
    let all = |last: &'static str| swept(&[("T+0", SHUT), ("T+24 h", SHUT), ("T+30 d", last)]);
    let table = [
        ("gone", all(SHUT), Pass),
        ("back after a day", swept(&[("T+0", SHUT), ("T+24 h", OPEN)]), Fail),
        ("back after a month", all(OPEN), Fail),
        ("never gone", swept(&[("T+0", OPEN)]), Fail),
        ("breaks", all(UNCLEAR), Inconclusive),
        ("cannot be tried", all(UNABLE), Inconclusive),
        ("one sweep", swept(&[("T+0", SHUT)]), Inconclusive),
        ("the first is missing", swept(&[("T+24 h", SHUT), ("T+30 d", SHUT)]), Inconclusive),
        ("not ended", all(SHUT).fact("ended", down()), Inconclusive),
        ("never worked", all(SHUT).fact("before", row("its refresh token", SHUT, 0)), Inconclusive),
        (
            "one way was not tried again",
            all(SHUT).fact("before", row("its refresh token", OPEN, 0)),
            Inconclusive,
        ),
        ("cut off", swept(&[]), Inconclusive),
        ("platform down", sample().fact("copy", down()), Inconclusive),
        ("nothing seen", sample(), Inconclusive),
    ];
    judges(&STAYS_GONE_AFTER_OFFBOARDING, &table);
    let judgement = judged(&STAYS_GONE_AFTER_OFFBOARDING, &table[0].1);
    insta::assert_snapshot!(judgement.observed, @"2 of 2 refused: T+0, made after 2ms; T+24 h, made after 302ms; T+30 d, made after 602ms");
    let judgement = judged(&STAYS_GONE_AFTER_OFFBOARDING, &table[1].1);
    insta::assert_snapshot!(judgement.sentence, @"an offboarded client is let in at T+24 h");
    let waiting = judged(&STAYS_GONE_AFTER_OFFBOARDING, &table[6].1).waiting.unwrap();
    insta::assert_snapshot!(waiting.reached, @"1 of 3 sweeps");
    insta::assert_snapshot!(waiting.waits_for, @"T+24 h and T+30 d, with the credentials of the copy that ended, by a server that keeps them");
}

#[test]
fn what_is_kept_passes_for_what_was_due_and_says_what_is_owed() {
    let first = |last: &'static str| kept(swept(&[("T+0", last)]));
    let back =
        || json!({ "sweep": "T+24 h", "at": "2026-11-20T03:05:11.000Z", "after_ms": 86_400_000 });
    let promised = |names: &[&str]| {
        let mut owed = owed(began());
        owed.retain(|it| names.contains(&it.what.as_str()));
        swept(&[("T+0", SHUT)]).fact(KEPT, json!({ "owed": owed }))
    };
    let table = [
        ("gone so far", first(SHUT), Pass),
        ("never gone", first(OPEN), Fail),
        ("breaks", first(UNCLEAR), Inconclusive),
        ("nothing swept", kept(swept(&[])), Inconclusive),
        ("never worked", first(SHUT).fact("before", row("its key", SHUT, 0)), Inconclusive),
        ("less is kept than is missing", promised(&["T+30 d"]), Inconclusive),
        ("nothing is kept", promised(&[]), Inconclusive),
        ("an odd promise", swept(&[("T+0", SHUT)]).fact(KEPT, json!({ "owed": 7 })), Inconclusive),
        ("an earlier one came back", first(SHUT).fact(CAME_BACK, back()), Inconclusive),
        ("an earlier one, and this one too", first(OPEN).fact(CAME_BACK, back()), Fail),
    ];
    judges(&STAYS_GONE_AFTER_OFFBOARDING, &table);
    for (row, sample, verdict) in &table {
        let owes = !judged(&STAYS_GONE_AFTER_OFFBOARDING, sample).owed.is_empty();
        assert_eq!(owes, *verdict == Pass || *row == "an earlier one came back", "{row}");
    }
    let judgement = judged(&STAYS_GONE_AFTER_OFFBOARDING, &table[0].1);
    insta::assert_snapshot!(judgement.sentence, @"an offboarded client is gone, as far as that is due; T+24 h is owed at 2026-11-25T03:05:11.000Z; T+30 d is owed at 2026-12-24T03:05:11.000Z");
    let judgement = judged(&STAYS_GONE_AFTER_OFFBOARDING, &table[8].1);
    insta::assert_snapshot!(judgement.observed, @"2 of 2 refused: T+0, made after 2ms; an earlier copy was let in at T+24 h, at 2026-11-20T03:05:11.000Z");
    insta::assert_snapshot!(judgement.waiting.unwrap().waits_for, @"T+24 h of this copy, at 2026-11-25T03:05:11.000Z");
}

#[test]
fn a_later_sweep_proves_something_where_a_fresh_copy_is_let_in() {
    let day_ms = Period::from_hours(24).millis() + 61_000;
    let later = || {
        sample()
            .setting(LATER, "T+24 h")
            .setting("began", began().to_string())
            .setting("place", "identity[0]")
    };
    let control = |came: &str| {
        later()
            .fact("copy", json!({ "client": "a.copy-2", "of": "a" }))
            .fact(CONTROL, row("a fresh copy's token request", OPEN, 0))
            .fact(CONTROL, row("a fresh copy's token", came, 0))
    };
    let tried = |sample: Sample, last: &str| {
        sample
            .fact("sweep T+24 h", row("its token, whose own time is over", SHUT, day_ms))
            .fact("sweep T+24 h", row("its key", last, day_ms))
    };
    let undone = json!({ "error": "DeleteCopy: no answer in time" });
    let table = [
        ("gone", tried(control(OPEN), SHUT), Pass),
        ("back", tried(control(OPEN), OPEN), Fail),
        ("back, and nobody else is let in", tried(control(SHUT), OPEN), Fail),
        ("nobody is let in", tried(control(SHUT), SHUT), Inconclusive),
        ("the fresh copy's call breaks", tried(control(UNCLEAR), SHUT), Inconclusive),
        ("no control", tried(later(), SHUT), Inconclusive),
        ("it breaks", tried(control(OPEN), UNCLEAR), Inconclusive),
        ("it cannot be tried", tried(control(OPEN), UNABLE), Inconclusive),
        ("nothing was tried", control(OPEN), Inconclusive),
        (
            "another sweep was made",
            control(OPEN).fact("sweep T+30 d", row("its key", SHUT, 1)),
            Inconclusive,
        ),
        ("platform down", later().fact("copy", down()), Inconclusive),
        ("no platform", later().fact("platform", down()), Inconclusive),
        ("the fresh copy is left", tried(control(OPEN), SHUT).fact("undo", undone), Inconclusive),
        ("nothing seen", later(), Inconclusive),
    ];
    judges(&STAYS_GONE_AFTER_OFFBOARDING, &table);
    let words = |place: usize| {
        let it = judged(&STAYS_GONE_AFTER_OFFBOARDING, &table[place].1);
        format!("{} ({})", it.sentence, it.observed)
    };
    insta::assert_snapshot!(words(0), @"an offboarded client stays gone at T+24 h (2 of 2 refused at 2026-11-24T03:05:11.000Z, of a copy that ended at 2026-11-24T03:05:11.000Z)");
    insta::assert_snapshot!(words(1), @"an offboarded client is let in at T+24 h (its key: HTTP open, of a copy that ended at 2026-11-24T03:05:11.000Z)");
    insta::assert_snapshot!(words(3), @"no fresh copy was let in, so the refusals say nothing (a fresh copy's token: HTTP shut)");
    insta::assert_snapshot!(words(10), @"no fresh copy was let in, so the refusals say nothing (it cannot be reached)");
}
