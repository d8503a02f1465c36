use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
use countersign_model::check::transcript::FailureKind;
use serde_json::{Value, json};

use super::*;
use crate::sample::{Sample, judged, judges, sample};

const WAYS: [&str; 4] =
    ["token request", "token at the API", "token at introspection", "refresh token"];

fn row(path: &str, came: &str) -> Value {
    json!({"path": path, "came": came, "seen": format!("HTTP {came}"), "after_ms": 12})
}

/// Every way was open, and is shut, but for this one.
fn ended(but: (&str, &str)) -> Sample {
    let mut sample = sample().setting("has_copy", true);
    for way in WAYS {
        let came = if way == but.0 { but.1 } else { "shut" };
        sample = sample.fact("before", row(way, "open")).fact("after", row(way, came));
    }
    sample
}

fn with_partner(sample: Sample) -> Sample {
    sample.setting("start", "DELETE https://x.example/{tenant}").setting("finish_ms", 4_000)
}

fn asked(sample: Sample) -> Sample {
    with_partner(sample).answered("tenant-before", 200, "{}")
}

#[test]
fn the_list_of_what_still_answers_is_empty() {
    let mut table = vec![("right", ended(("", "")), Pass)];
    for way in WAYS {
        table.push((way, ended((way, "open")), Fail));
        table.push((way, ended((way, "unclear")), Inconclusive));
    }
    let with_copy = || sample().setting("has_copy", true);
    let error = json!({"error": "timed out"});
    table.extend([
        ("no control", with_copy().fact("before", row(WAYS[0], "shut")), Inconclusive),
        (
            "half a control",
            ended(("", "")).fact("before", row("refresh token", "unclear")),
            Inconclusive,
        ),
        ("not tried again", ended(("", "")).fact("before", row("more", "open")), Inconclusive),
        ("not ended", ended(("", "")).fact("end", error.clone()), Inconclusive),
        ("platform down", with_copy().fact("copy", error), Inconclusive),
        ("nobody asked", with_copy(), Inconclusive),
        ("nothing to end", sample(), Inconclusive),
        ("demanded", sample().fact("missing-section", json!({"section": "[x]"})), Fail),
    ]);
    judges(&LeavesNothingBehindWhenOffboarded, &table);
    let judgement = judged(&LeavesNothingBehindWhenOffboarded, &ended((WAYS[3], "open")));
    insta::assert_snapshot!(judgement.observed, @"1 of 4 still answer: refresh token: HTTP open");
}

#[test]
fn the_partner_has_to_have_had_it_and_then_not() {
    let here = || ended(("", ""));
    let gone = json!({"after_ms": 260});
    let right = asked(here())
        .answered("offboard", 202, "")
        .answered("tenant-after", 404, "")
        .fact("gone", gone.clone());
    insta::assert_snapshot!(judged(&LeavesNothingBehindWhenOffboarded, &right).observed, @"0 of 4 ways still answer after 12 ms (token request, token at the API, token at introspection, refresh token); the partner's tenant is gone after 0.26 s");
    let ended_to =
        |status| asked(here()).answered("offboard", 202, "").answered("tenant-after", status, "");
    judges(
        &LeavesNothingBehindWhenOffboarded,
        &[
            ("right", right, Pass),
            ("confirms and does nothing", ended_to(200), Fail),
            (
                "says yes to everything",
                with_partner(here())
                    .answered("tenant-before", 200, "")
                    .answered("offboard", 200, "")
                    .answered("tenant-after", 200, ""),
                Inconclusive,
            ),
            ("breaks afterwards", ended_to(500), Inconclusive),
            (
                "goes away afterwards",
                asked(here())
                    .answered("offboard", 202, "")
                    .silent("tenant-after", FailureKind::Connect),
                Inconclusive,
            ),
            ("no such call", asked(here()).answered("offboard", 404, ""), Fail),
            ("our token is refused", asked(here()).answered("offboard", 401, ""), Inconclusive),
            ("all 500", with_partner(here()).answered("tenant-before", 500, ""), Inconclusive),
            ("never there", with_partner(here()).answered("tenant-before", 404, ""), Inconclusive),
            (
                "down",
                with_partner(here()).silent("tenant-before", FailureKind::Connect),
                Inconclusive,
            ),
            (
                "hangs",
                with_partner(here()).silent("tenant-before", FailureKind::Timeout),
                Inconclusive,
            ),
            ("by hand", with_partner(here()).fact("manual", json!({})), Inconclusive),
            (
                "by hand, and something is left here",
                with_partner(ended((WAYS[0], "open"))).fact("manual", json!({})),
                Fail,
            ),
        ],
    );
}
