//! Can its key be changed without a person and without an outage?
//!
//! When a key leaks, it has to be changed within minutes, at night too. A rotation that waits for
//! somebody, or that stops the business, is put off until the thief has finished. So it is done:
//! the call that the manifest declares is made, and then only what happens counts. A key that
//! nobody has seen before must be published in time (a new name for the old key is none), and the
//! client's own token requests, as the platform recorded them, must go on without a failed one.
//! Where nobody asked for a token meanwhile, an outage could not have shown, and nothing is concluded.
//!
//! Source: NIST SP 800-57 part 1 rev. 5, section 5.3.4; OWASP NHI7:2025; CTS-CRD-04.

use countersign_model::check::{Answer, Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::Value;

use super::rotation::{self, Seen};
use super::seconds;
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Can its key be changed without a person and without an outage?
#[derive(Debug, Clone, Copy)]
pub struct RotatesWithoutAPerson;

#[async_trait::async_trait]
impl Check for RotatesWithoutAPerson {
    fn info(&self) -> &'static Info {
        &Info {
            name: "rotates_without_a_person",
            case: None,
            controls: &["CTS-CRD-04"],
            question: "Can its key be changed without a person and without an outage?",
            sends: "The call that `[identity.rotation]` declares is made, with the partner's token. Then the published key set and the platform's log of token requests are watched until `finish` is over.",
            passes: "A key that nobody has seen before is published in time, nobody has to act, tokens were granted meanwhile and with the new key too, and not one token request failed.",
            risk: "A leaked key stays in use until somebody finds the time to change it.",
            fix: "Let the call in `[identity.rotation]` publish a new key by itself, use it once everybody can know it, and accept both until `overlap` is over.",
            source: "NIST SP 800-57 part 1 rev. 5, section 5.3.4; OWASP NHI7:2025.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Drill
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        rotation::subjects(manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        rotation::talk(subject, manifest, talk).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let place = transcript.text("place").unwrap_or_default();
        let finish = seconds(transcript.number("finish_ms").unwrap_or_default());
        let expected = format!(
            "a new key within {finish}, no failed token request, and nobody who has to act"
        );
        needs_a_person(transcript)
            .map_or_else(|| without_outage(transcript), |it| Err(it.into()))
            .unwrap_or_else(|it| *it)
            .expected(expected)
            .at(place)
            .repeat(repeat(transcript))
    }
}

/// Where the manifest or the partner itself says that somebody has to act, or the call does not exist.
fn needs_a_person(transcript: &Transcript) -> Option<Judgement> {
    if transcript.fact("method").and_then(|it| it.get("method")?.as_str()) == Some("manual") {
        return Some(
            Judgement::fail("the rotation is declared to be done by a person")
                .observed("method = \"manual\""),
        );
    }
    let answer = &transcript.exchange("rotate")?.answer;
    if matches!(answer.status(), Some(404 | 405 | 410 | 501)) {
        return Some(
            Judgement::fail("the call that is declared to start a rotation does not exist")
                .observed(answer.words()),
        );
    }
    let said = waits_for(answer)?;
    Some(
        Judgement::fail("the rotation waits for a person")
            .observed(format!("{}: it says `{said}`", answer.words())),
    )
}

/// What the partner says about itself, where it says that it waits for somebody.
fn waits_for(answer: &Answer) -> Option<String> {
    let said = answer.json()?;
    let words = ["state", "status"].into_iter().filter_map(|it| said.get(it)?.as_str());
    let waits = |it: &&str| {
        let it = it.to_lowercase();
        PEOPLE.iter().any(|word| it.contains(word))
    };
    words.into_iter().find(waits).map(|it| it.chars().take(80).collect())
}

/// Words of a status that name a person.
const PEOPLE: [&str; 5] = ["approval", "human", "manual", "operator", "person"];

fn without_outage(transcript: &Transcript) -> Result<Judgement, Box<Judgement>> {
    let seen = Seen::of(transcript)?;
    let Some(new_after_ms) = seen.new_after_ms else {
        return Err(Judgement::fail("no new key was published").observed(said(transcript)).into());
    };
    let counts = seen.requests.by_key.values();
    let (granted, refused) = counts.fold((0, 0), |sum, it| (sum.0 + it.during, sum.1 + it.refused));
    let observed = format!(
        "a new key after {}; {granted} token requests granted while it rotated, {refused} failed",
        seconds(new_after_ms)
    );
    if 0 < refused {
        let line = |it: &rotation::Refused| {
            format!("{} ms after the start, key `{}`: {}", it.after_ms, it.kid, it.result)
        };
        return Err(Judgement::fail("token requests failed while the key was changed")
            .observed(observed)
            .details(seen.requests.refused.iter().map(line))
            .into());
    }
    if 0 < seen.requests.unreadable {
        return Err(Judgement::inconclusive("the platform's log has lines that cannot be read")
            .observed(format!("{} lines", seen.requests.unreadable))
            .into());
    }
    if granted == 0 {
        return Err(Judgement::inconclusive(
            "nobody asked for a token while the key was changed, so an outage could not show",
        )
        .observed(observed)
        .into());
    }
    if seen.new_granted().0 == 0 {
        return Err(Judgement::inconclusive("nobody has used the new key")
            .observed(observed)
            .into());
    }
    Ok(Judgement::pass("the key changes by itself, and nothing stops").observed(observed))
}

fn said(transcript: &Transcript) -> String {
    let answer = transcript.exchange("rotate").map(|it| &it.answer);
    let text = answer.and_then(Answer::json).and_then(|it| match it.get("status") {
        Some(Value::String(it)) => Some(format!(": it says `{it}`")),
        _ => None,
    });
    format!("{}{}", answer.map(Answer::words).unwrap_or_default(), text.unwrap_or_default())
}

/// How to see it by hand.
pub(super) fn repeat(transcript: &Transcript) -> String {
    let start = transcript.text("start").unwrap_or("the call in `rotation.start`");
    let jwks = transcript.text("jwks").unwrap_or("the key set");
    let finish = seconds(transcript.number("finish_ms").unwrap_or_default());
    format!("{start} with the partner's token, then GET {jwks} every 300 ms for {finish}")
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use countersign_model::check::transcript::FailureKind;
    use serde_json::json;

    use super::*;
    use crate::drill::rotation::sample::{keys, requests, rotated, started};
    use crate::sample::{judged, judges, sample};

    #[test]
    fn only_what_happens_counts() {
        let right = || rotated(&["new"], requests(&[("old", 9, 3, 0, 0), ("new", 0, 12, 0, 4)]));
        judges(
            &RotatesWithoutAPerson,
            &[
                ("right", right(), Pass),
                (
                    "old key stays, which another check judges",
                    rotated(&["new", "old"], requests(&[("old", 9, 3, 0, 2), ("new", 0, 9, 0, 2)])),
                    Pass,
                ),
                ("no new key", rotated(&["old"], requests(&[("old", 9, 12, 0, 4)])), Fail),
                (
                    "an outage",
                    rotated(&["new"], requests(&[("old", 9, 3, 2, 0), ("new", 0, 9, 0, 4)])),
                    Fail,
                ),
                (
                    "nobody at work",
                    rotated(&["new"], requests(&[("old", 9, 0, 0, 0)])),
                    Inconclusive,
                ),
                (
                    "the new key lies unused",
                    rotated(&["new"], requests(&[("old", 9, 3, 0, 0)])),
                    Inconclusive,
                ),
                ("manual", sample().fact("method", json!({"method": "manual"})), Fail),
                (
                    "nothing declared",
                    sample().fact("missing-section", json!({"section": "[identity.rotation]"})),
                    Fail,
                ),
                ("nobody asked", sample(), Inconclusive),
            ],
        );
    }

    #[test]
    fn a_new_name_for_the_old_key_is_no_new_key() {
        let renamed = json!({"after_ms": 300, "keys": [{"kid": "new", "key": "old-key"}]});
        let sample = started(202, r#"{"status":"rotating"}"#)
            .fact("keys-after", renamed)
            .fact("requests", requests(&[("old", 9, 3, 0, 0), ("new", 0, 9, 0, 4)]));
        judges(&RotatesWithoutAPerson, &[("renamed", sample, Fail)]);
    }

    #[test]
    fn a_partner_that_is_not_there_passes_nothing() {
        let before = || {
            sample()
                .fact("keys-before", keys(0, &["old"]))
                .fact("requests-before", requests(&[("old", 9, 0, 0, 0)]))
        };
        let error = json!({"error": "HTTP 500"});
        let business = requests(&[("old", 9, 3, 0, 0), ("new", 0, 9, 0, 4)]);
        judges(
            &RotatesWithoutAPerson,
            &[
                ("down", sample().fact("keys-before", error.clone()), Inconclusive),
                ("all 500", before().answered("rotate", 500, ""), Inconclusive),
                ("hangs", before().silent("rotate", FailureKind::Timeout), Inconclusive),
                ("half-way", before().silent("rotate", FailureKind::Closed), Inconclusive),
                ("our token is refused", before().answered("rotate", 401, ""), Inconclusive),
                ("no such call", before().answered("rotate", 404, ""), Fail),
                (
                    "gone meanwhile",
                    before()
                        .answered("rotate", 202, "")
                        .fact("keys-after", error.clone())
                        .fact("requests", business),
                    Inconclusive,
                ),
                (
                    "platform down",
                    sample().fact("keys-before", keys(0, &["old"])).fact("requests-before", error),
                    Inconclusive,
                ),
            ],
        );
    }

    #[test]
    fn a_partner_that_says_it_waits_is_believed() {
        let business = || requests(&[("old", 9, 3, 0, 2), ("new", 0, 9, 0, 2)]);
        let wrong = started(202, r#"{"status":"waiting for operator"}"#)
            .setting("finish_ms", 4_000)
            .fact("keys-after", keys(300, &["new", "old"]))
            .fact("requests", business());
        let judgement = judged(&RotatesWithoutAPerson, &wrong);
        insta::assert_snapshot!(format!("{}\n{}\n{}", judgement.sentence, judgement.observed, judgement.expected), @r"
        the rotation waits for a person
        HTTP 202: it says `waiting for operator`
        a new key within 4 s, no failed token request, and nobody who has to act
        ");
    }
}
