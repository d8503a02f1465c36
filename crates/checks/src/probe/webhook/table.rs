//! The judge against every way in which a receiver can behave.

use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};
use countersign_model::check::transcript::FailureKind::{AddressRefused, Closed, Connect, Timeout};
use serde_json::{Value, json};

use super::{
    ambiguous_id, downgrade, endpoint, future, legacy, list, once, stale, tampered, unsigned,
    unsigned_time, wrong_key,
};
use crate::check::Check;
use crate::sample::{Sample, judged, judges, sample};

static FORGERIES: [&dyn Check; 10] = [
    &unsigned::CHECK,
    &tampered::CHECK,
    &wrong_key::CHECK,
    &downgrade::CHECK,
    &ambiguous_id::CHECK,
    &legacy::CHECK,
    &endpoint::CHECK,
    &stale::CHECK,
    &future::CHECK,
    &unsigned_time::CHECK,
];

/// A talk about to begin.
fn begun(oracle: &str) -> Sample {
    sample()
        .setting("scheme", "standard-webhooks")
        .setting("oracle", oracle)
        .setting("listen_ms", 900)
        .setting("place", "event[0]")
        .fact("key", json!({ "kid": "k" }))
}

fn effect(sample: Sample, label: &str, value: Value) -> Sample {
    sample.answered(label, 200, "").fact(&format!("{label}-effect"), value)
}

/// A right event was accepted and had its effect; two wrong ones are about to come.
fn heard(oracle: &str) -> Sample {
    let sample = effect(begun(oracle), "control", json!({ "seen": true }));
    sample.setting("wrong", json!(["one", "two"])).setting("repeat.two", "curl two")
}

fn sent(sample: Sample, one: u16, two: u16) -> Sample {
    sample.answered("wrong.one", one, "").answered("wrong.two", two, "").waited("listen", 900)
}

fn feed(sample: Sample, control: u32, two: u32) -> Sample {
    sample.fact("effects", json!({ "control": control, "wrong": { "one": 0, "two": two } }))
}

fn closed(sample: Sample) -> Sample {
    effect(sample, "closing", json!({ "seen": true }))
}

/// A talk with an object that had this version after the right event, then, and after the wrong ones.
fn object(after: &str, quiet: &str, end: &str) -> Sample {
    let sample = begun("object").fact("before", json!({ "version": "1" }));
    let sample = effect(sample, "control", json!({ "seen": true, "version": after }));
    let sample = sample.setting("wrong", json!(["one"])).fact("quiet", json!({ "version": quiet }));
    let sample = sample.answered("wrong.one", 200, "").waited("listen", 900);
    closed(sample.fact("effects", json!({ "version": end })))
}

/// What is the same for every check: whoever cannot be judged is not.
fn unjudged() -> Vec<(&'static str, Sample, Verdict)> {
    let silent = |kind| sent(heard("feed"), 401, 401).silent("wrong.two", kind);
    let done = |sample| closed(feed(sample, 1, 0));
    vec![
        ("nothing was done", begun("feed"), Inconclusive),
        (
            "a scheme that cannot do it",
            begun("feed").setting("unsupported", json!({ "sentence": "no", "expected": "yes" })),
            Inconclusive,
        ),
        ("no key", begun("feed").fact("key", json!({ "error": "no" })), Inconclusive),
        ("no platform", begun("feed").fact("platform", json!({ "error": "no" })), Inconclusive),
        ("down", begun("feed").silent("control", Connect), Inconclusive),
        ("hangs", begun("feed").silent("control", Timeout), Inconclusive),
        ("half-way", begun("feed").silent("control", Closed), Inconclusive),
        ("500 to all", begun("feed").answered("control", 500, ""), Inconclusive),
        ("401 to all", begun("feed").answered("control", 401, ""), Inconclusive),
        (
            "200 to all, and nothing is done",
            effect(begun("feed"), "control", json!({ "seen": false })),
            Inconclusive,
        ),
        ("down in the middle", done(silent(Connect)), Inconclusive),
        ("hangs in the middle", done(silent(Timeout)), Inconclusive),
        ("its host is not proved", done(silent(AddressRefused)), Inconclusive),
        ("500 to the wrong ones", done(sent(heard("feed"), 401, 500)), Inconclusive),
        ("404 to the wrong ones", done(sent(heard("feed"), 404, 401)), Inconclusive),
        ("429 to the wrong ones", done(sent(heard("feed"), 429, 401)), Inconclusive),
        ("a redirect", done(sent(heard("feed"), 302, 401)), Inconclusive),
        (
            "one was not sent",
            done(heard("feed").answered("wrong.one", 401, "").waited("listen", 900)),
            Inconclusive,
        ),
        (
            "nobody listened",
            done(heard("feed").answered("wrong.one", 401, "").answered("wrong.two", 401, "")),
            Inconclusive,
        ),
        ("nobody read the effects", closed(sent(heard("feed"), 401, 401)), Inconclusive),
        (
            "the effects broke",
            closed(sent(heard("feed"), 401, 401).fact("effects", json!({ "error": "HTTP 500" }))),
            Inconclusive,
        ),
        ("the effects forget", closed(feed(sent(heard("feed"), 401, 401), 0, 0)), Inconclusive),
        ("no last right event", feed(sent(heard("feed"), 401, 401), 1, 0), Inconclusive),
        (
            "dead after the wrong ones",
            feed(sent(heard("feed"), 401, 401), 1, 0).answered("closing", 503, ""),
            Inconclusive,
        ),
        (
            "deaf after the wrong ones",
            effect(feed(sent(heard("feed"), 401, 401), 1, 0), "closing", json!({ "seen": false })),
            Inconclusive,
        ),
        ("an object that changes by itself", object("2", "3", "4"), Inconclusive),
        (
            "an object that cannot be read",
            begun("object").fact("before", json!({ "error": "HTTP 500" })),
            Inconclusive,
        ),
    ]
}

#[test]
fn a_forged_event_must_have_no_effect() {
    let mut table = unjudged();
    table.extend([
        ("refused", closed(feed(sent(heard("feed"), 401, 400), 1, 0)), Pass),
        ("200 and no effect", closed(feed(sent(heard("feed"), 200, 200), 1, 0)), Pass),
        ("401 and an effect", closed(feed(sent(heard("feed"), 401, 401), 1, 1)), Fail),
        ("accepted, with an effect", closed(feed(sent(heard("feed"), 401, 200), 1, 1)), Fail),
        (
            "an effect, and dead afterwards",
            feed(sent(heard("feed"), 200, 200), 1, 1).silent("closing", Connect),
            Fail,
        ),
        (
            "an effect that showed late",
            feed(closed(feed(sent(heard("feed"), 401, 401), 1, 0)), 1, 1),
            Fail,
        ),
        ("status only, refused", closed(sent(heard("none"), 401, 403)), Pass),
        ("status only, accepted", closed(sent(heard("none"), 401, 202)), Fail),
        ("an object that stays", object("2", "2", "2"), Pass),
        ("an object that changes", object("2", "2", "3"), Fail),
    ]);
    for check in FORGERIES {
        judges(check, &table);
    }
}

/// A talk in which the first event came again as its window of five seconds ended.
fn again(sample: Sample, status: u16, after_ms: u64) -> Sample {
    let sample = sample.setting("window_seconds", 5).answered("late.same-message", status, "");
    sample.fact("late", json!({ "after_ms": after_ms })).waited("late-listen", 900)
}

/// The effects of the first event after that, and a right event at the end.
fn at_last(sample: Sample, control: u32) -> Sample {
    let sample = sample.fact("late-effects", json!({ "control": control }));
    effect(sample, "late-closing", json!({ "seen": true }))
}

#[test]
fn a_replayed_event_must_have_one_effect() {
    let early = |one, two| closed(feed(sent(heard("feed"), one, two), 1, 0));
    let whole = |status, control| at_last(again(early(200, 200), status, 4_010), control);
    let changed = |late: &str| {
        let sample = object("2", "2", "2").fact("late-quiet", json!({ "version": "4" }));
        let sample = again(sample, 200, 4_010).fact("late-effects", json!({ "version": late }));
        effect(sample, "late-closing", json!({ "seen": true, "version": "6" }))
    };
    let status_only = |late| {
        again(closed(sent(heard("none"), 409, 409)), late, 4_010).answered("late-closing", 200, "")
    };
    let mut table = unjudged();
    table.extend([
        ("200 and one effect", whole(200, 1), Pass),
        ("409 and one effect", at_last(again(early(409, 409), 409, 4_010), 1), Pass),
        ("200 and two effects", closed(feed(sent(heard("feed"), 200, 200), 2, 0)), Fail),
        ("409 and three effects", closed(feed(sent(heard("feed"), 409, 409), 3, 0)), Fail),
        ("forgotten when it comes late", whole(200, 2), Fail),
        (
            "forgotten, and dead afterwards",
            again(early(200, 200), 200, 4_010)
                .fact("late-effects", json!({ "control": 2 }))
                .silent("late-closing", Connect),
            Fail,
        ),
        ("not sent again", early(200, 200), Inconclusive),
        ("sent again too late", at_last(again(early(200, 200), 401, 5_001), 1), Inconclusive),
        (
            "nobody knows when it was sent",
            at_last(
                early(200, 200)
                    .setting("window_seconds", 5)
                    .answered("late.same-message", 200, "")
                    .waited("late-listen", 900),
                1,
            ),
            Inconclusive,
        ),
        ("500 when it comes late", whole(500, 1), Inconclusive),
        (
            "nobody listened at last",
            at_last(
                early(200, 200)
                    .setting("window_seconds", 5)
                    .answered("late.same-message", 200, "")
                    .fact("late", json!({ "after_ms": 4_010 })),
                1,
            ),
            Inconclusive,
        ),
        ("nobody read the effects at last", again(early(200, 200), 200, 4_010), Inconclusive),
        (
            "dead at last",
            again(early(200, 200), 200, 4_010)
                .fact("late-effects", json!({ "control": 1 }))
                .silent("late-closing", Connect),
            Inconclusive,
        ),
        (
            "an effect under another id",
            closed(feed(sent(heard("feed"), 200, 200), 1, 1).setting("id_signed", false)),
            Inconclusive,
        ),
        ("status only, accepted", closed(sent(heard("none"), 200, 409)), Inconclusive),
        ("status only, refused", status_only(409), Pass),
        ("status only, accepted when it comes late", status_only(200), Inconclusive),
        ("an object that stays", changed("4"), Pass),
        ("an object that changes", object("2", "2", "3"), Fail),
        ("an object that changes late", changed("5"), Fail),
    ]);
    judges(&once::CHECK, &table);
    let judgement = judged(&once::CHECK, &whole(200, 1));
    insta::assert_snapshot!(judgement.observed, @"1 effect: HTTP 200 for `one`, HTTP 200 for `two`, HTTP 200 for the same message again 4.0 s after it was signed, with a window of 5 s");
    let judgement = judged(&once::CHECK, &whole(200, 2));
    insta::assert_snapshot!(format!("{}: {}", judgement.sentence, judgement.observed), @"a replayed webhook takes effect again before its window ends: 2 effects, again 4.0 s after it was signed, with a window of 5 s");
}

#[test]
fn a_status_alone_is_marked_as_such_and_may_not_be_enough() {
    let status = closed(sent(heard("none"), 401, 401));
    assert!(judged(&unsigned::CHECK, &status).status_only);
    let strict = status.setting("status_only", "inconclusive");
    assert_eq!(judged(&unsigned::CHECK, &strict).verdict, Inconclusive);
}

#[test]
fn a_finding_says_what_was_seen_and_how_to_see_it_again() {
    let seen = closed(feed(sent(heard("feed"), 401, 200), 1, 1));
    let judgement = judged(&unsigned::CHECK, &seen);
    insta::assert_json_snapshot!(judgement, @r#"
    {
      "verdict": "fail",
      "sentence": "an unsigned webhook takes effect",
      "observed": "HTTP 200, 1 effect for `two`",
      "expected": "a refusal (4xx), and no effect",
      "place": "event[0]",
      "details": [
        "one: HTTP 401, 0 effects",
        "two: HTTP 200, 1 effect"
      ],
      "repeat": "curl two"
    }
    "#);
    let twice = closed(feed(sent(heard("feed"), 200, 200), 2, 0));
    let judgement = judged(&once::CHECK, &twice);
    insta::assert_snapshot!(format!("{}: {}", judgement.sentence, judgement.observed), @"a replayed webhook takes effect again: 2 effects");
}

/// A talk with unusual right events and heavy ones: how each was answered, and how long it took.
fn listed(taken: (u16, bool), heavy: [(u16, u64); 2], alive: u16) -> Sample {
    let sample =
        begun("feed").setting("taken", json!(["last"])).setting("heavy", json!(["a", "b"]));
    let sample = effect(sample, "control", json!({ "seen": true }));
    let sample = sample.setting("wrong", json!(["one", "two"])).answered("taken.last", taken.0, "");
    let sample = sample.fact("taken.last-effect", json!({ "seen": taken.1 }));
    let sample = closed(feed(sent(sample, 401, 401), 1, 0));
    let [a, b] = heavy;
    let sample = sample.answered_in("heavy.a", a.0, a.1).answered_in("heavy.b", b.0, b.1);
    sample.answered("alive", alive, "")
}

#[test]
fn a_list_is_read_whole_and_soon() {
    let quick = [(401, 3), (431, 4)];
    let heavy = |it| listed((200, true), it, 200);
    let table = [
        ("found and refused", heavy(quick), Pass),
        ("found and taken", heavy([(200, 3), (200, 3)]), Pass),
        ("the good one is not found", listed((401, false), quick, 200), Fail),
        ("the good one has no effect", listed((200, false), quick, 200), Fail),
        ("the good one breaks it", listed((500, false), quick, 200), Inconclusive),
        ("many break it", heavy([(500, 3), (401, 3)]), Fail),
        ("many keep it busy", heavy([(401, 4_000), (401, 4_100)]), Fail),
        ("one was slow by chance", heavy([(401, 4_000), (401, 3)]), Pass),
        ("dead afterwards", listed((200, true), quick, 503), Inconclusive),
        ("hangs on many", heavy(quick).silent("heavy.b", Timeout), Fail),
        ("hung up on many", heavy(quick).silent("heavy.b", Closed), Pass),
        ("unknown version has an effect", feed(heavy(quick), 1, 1), Fail),
    ];
    judges(&list::CHECK, &table);
    judges(&list::CHECK, &unjudged());
}

#[test]
fn an_endpoint_beside_it_has_to_work_as_well() {
    let good = || closed(feed(sent(heard("feed"), 401, 401), 1, 0)).setting("sibling", "sub:b");
    let table = [
        ("both work", good().answered("sibling", 200, ""), Pass),
        ("the other one refuses its own", good().answered("sibling", 401, ""), Inconclusive),
        ("the other one was not asked", good(), Inconclusive),
    ];
    judges(&endpoint::CHECK, &table);
}
