//! Is its old key refused once a rotation is over?
//!
//! A key that is changed because it leaked still opens everything while the old one is accepted. So
//! after the declared `finish` the old key must be gone from the published set, under whatever name,
//! and the platform may not have granted one more token to a request that it signed. That counts
//! only if requests with the new key were granted in the same time: where nothing is granted, the
//! old key was not refused for being old.
//!
//! Source: NIST SP 800-57 part 1 rev. 5, section 5.3.4; OWASP NHI7:2025; CTS-CRD-04.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;

use super::rotates::repeat;
use super::rotation::{self, Seen};
use super::seconds;
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Is its old key refused once a rotation is over?
#[derive(Debug, Clone, Copy)]
pub struct RefusesOldCredentialAfterRotation;

#[async_trait::async_trait]
impl Check for RefusesOldCredentialAfterRotation {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_old_credential_after_rotation",
            case: None,
            controls: &["CTS-CRD-04"],
            question: "Is its old key refused once a rotation is over?",
            sends: "The call in `[identity.rotation]` is made once, as for `rotates_without_a_person`. Then the published key set and the platform's log of token requests are watched until `finish` is over.",
            passes: "A new key was published, the old one is gone from the set, and after `finish` tokens were granted to requests signed with the new key and to none signed with the old one. `overlap` is not longer than the profile allows.",
            risk: "Whoever stole the old key still gets tokens after it was changed.",
            fix: "Take the old key out of the published set when `overlap` is over, and sign with the new one only.",
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
        let finish = seconds(transcript.number("finish_ms").unwrap_or_default());
        dead(transcript)
            .unwrap_or_else(|it| *it)
            .expected(format!("no old key published and none accepted {finish} after the start"))
            .at(transcript.text("place").unwrap_or_default())
            .repeat(repeat(transcript))
    }
}

fn dead(transcript: &Transcript) -> Result<Judgement, Box<Judgement>> {
    if transcript.fact("method").is_some() {
        return Err(Judgement::inconclusive("a rotation by hand cannot be rehearsed").into());
    }
    let overlap = transcript.number("overlap_ms").unwrap_or_default();
    let grace = transcript.number("CTS-CRD-04.grace_seconds");
    if let Some(grace) = grace.filter(|it| it.saturating_mul(1_000) < overlap) {
        return Err(Judgement::fail("the old key is declared to live on longer than is allowed")
            .observed(format!("overlap = {}, allowed {grace} s", seconds(overlap)))
            .into());
    }
    let seen = Seen::of(transcript)?;
    if seen.new_after_ms.is_none() {
        return Err(Judgement::inconclusive("no new key was published, so none is old").into());
    }
    if seen.old.is_empty() {
        return Err(Judgement::inconclusive(
            "it cannot be told which key was in use before the rotation",
        )
        .into());
    }
    let (old, live) = (seen.old_granted_after(), seen.new_granted().1);
    let names: Vec<String> = seen.old.iter().map(|it| format!("`{it}`")).collect();
    let names = names.join(", ");
    if seen.gone_after_ms.is_none() {
        let observed = format!("{names}; {old} token requests with it were granted since");
        return Err(Judgement::fail("the old key is still published").observed(observed).into());
    }
    if seen.reuses_name {
        return Err(Judgement::inconclusive(
            "the new key goes by the name of the old one, so the log cannot tell them apart",
        )
        .observed(names)
        .into());
    }
    if 0 < old {
        let observed = format!("{old} token requests with {names} were granted after the finish");
        return Err(Judgement::fail("the old key still opens the door").observed(observed).into());
    }
    if live == 0 {
        return Err(Judgement::inconclusive(
            "nobody asked for a token with the new key after the rotation",
        )
        .into());
    }
    let gone = seconds(seen.gone_after_ms.unwrap_or_default());
    Ok(Judgement::pass("the old key is dead").observed(format!(
        "gone {gone} after the start; of {live} token requests granted after the finish it signed none"
    )))
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::json;

    use super::*;
    use crate::drill::rotation::sample::{keys, requests, rotated, started};
    use crate::sample::{judged, judges, sample};

    #[test]
    fn the_old_key_is_gone_and_opens_nothing() {
        let right = || rotated(&["new"], requests(&[("old", 9, 3, 0, 0), ("new", 0, 12, 0, 4)]));
        judges(
            &RefusesOldCredentialAfterRotation,
            &[
                ("right", right(), Pass),
                (
                    "still published",
                    rotated(&["new", "old"], requests(&[("old", 9, 3, 0, 0), ("new", 0, 9, 0, 4)])),
                    Fail,
                ),
                (
                    "still accepted",
                    rotated(&["new"], requests(&[("old", 9, 3, 0, 1), ("new", 0, 9, 0, 3)])),
                    Fail,
                ),
                (
                    "nobody at work afterwards",
                    rotated(&["new"], requests(&[("old", 9, 3, 0, 0), ("new", 0, 9, 0, 0)])),
                    Inconclusive,
                ),
                ("no new key", rotated(&["old"], requests(&[("old", 9, 12, 0, 4)])), Inconclusive),
                (
                    "longer than allowed",
                    right()
                        .setting("overlap_ms", 7_200_000)
                        .setting("CTS-CRD-04.grace_seconds", 3_600),
                    Fail,
                ),
                ("manual", sample().fact("method", json!({"method": "manual"})), Inconclusive),
                (
                    "no call",
                    sample().fact("keys-before", json!({"error": "timed out"})),
                    Inconclusive,
                ),
                ("nobody asked", sample(), Inconclusive),
            ],
        );
        insta::assert_snapshot!(judged(&RefusesOldCredentialAfterRotation, &right()).observed, @"gone 4 s after the start; of 4 token requests granted after the finish it signed none");
    }

    #[test]
    fn which_key_was_the_old_one_is_seen_in_the_log_not_guessed() {
        let two = |earlier: serde_json::Value| {
            sample()
                .fact("keys-before", keys(0, &["a", "b"]))
                .fact("requests-before", earlier)
                .answered("rotate", 202, "{}")
                .fact("keys-after", keys(4_000, &["b", "c"]))
                .fact("requests", requests(&[("a", 9, 3, 0, 0), ("b", 0, 9, 0, 4)]))
        };
        judges(
            &RefusesOldCredentialAfterRotation,
            &[
                ("`a` signed", two(requests(&[("a", 9, 0, 0, 0)])), Pass),
                ("`b` signed", two(requests(&[("b", 9, 0, 0, 0)])), Fail),
                ("nobody signed", two(requests(&[])), Inconclusive),
            ],
        );
    }

    #[test]
    fn a_key_that_keeps_its_name_cannot_be_told_apart() {
        let same = json!({"after_ms": 4_000, "keys": [{"kid": "old", "key": "another"}]});
        let sample = started(202, "{}")
            .fact("keys-after", same)
            .fact("requests", requests(&[("old", 9, 12, 0, 4)]));
        judges(&RefusesOldCredentialAfterRotation, &[("same name", sample, Inconclusive)]);
    }
}
