//! Does it acknowledge a right security event as the standard says, and act on it?
//!
//! A transmitter that does not get 202 pushes again and again, or gives up; either way events get lost, and
//! people who were locked out go on working. This is also the control of the other checks of the family.
//!
//! Source: RFC 8935, section 2.2; SET-01.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;

use super::judge::{has_feed, last, not_begun, not_right, placed, words};
use super::visit::visit;
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does it acknowledge a right security event as the standard says, and act on it?
#[derive(Debug, Clone, Copy)]
pub struct AcceptsSignedSecurityEvent;

const EXPECTED: &str = "HTTP 202 with an empty body, and one effect";

#[async_trait::async_trait]
impl Check for AcceptsSignedSecurityEvent {
    fn info(&self) -> &'static Info {
        &Info {
            name: "accepts_signed_security_event",
            case: Some("SET-01"),
            controls: &["CTS-SET-01"],
            question: "Does it acknowledge a right security event as the standard says, and act on it?",
            sends: "One right event: our issuer, its audience, a new `jti`, signed with a key of our key set.",
            passes: "HTTP 202 with an empty body, and its effect in the feed where there is one.",
            risk: "Events get lost, and people who were locked out here go on working there.",
            fix: "Answer 202 with an empty body once the event is safe with you.",
            source: "RFC 8935, section 2.2; SET-01.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        super::subjects(manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some(mut visit) = visit(subject, manifest, talk).await else { return };
        let Some(event) = visit.maker.right("control") else { return };
        visit.right("control", &event).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        placed(transcript, judged(transcript).expected(EXPECTED))
    }
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(judgement) = not_begun(transcript) {
        return judgement;
    }
    let repeat = |judgement: Judgement| match transcript.text("repeat.control") {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    };
    if let Some(exchange) = last(transcript, "control")
        && exchange.answer.is_success()
    {
        let text = exchange.answer.text().trim();
        let observed =
            format!("{} with {} characters of body", words(&exchange.answer), text.len());
        if exchange.answer.status() != Some(202) || !text.is_empty() {
            let sentence =
                "a right event is acknowledged in another way than by 202 and nothing else";
            return repeat(Judgement::fail(sentence).observed(observed));
        }
    }
    if let Some(judgement) = not_right(transcript, "control") {
        return judgement;
    }
    let judgement = Judgement::pass("a right event is acknowledged").observed("HTTP 202, empty");
    if has_feed(transcript) { judgement } else { judgement.status_only() }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use countersign_model::check::transcript::FailureKind;
    use serde_json::json;

    use super::*;
    use crate::sample::{judges, sample};

    #[test]
    fn only_202_and_an_effect_acknowledge() {
        let feed = || sample().setting("oracle", "feed");
        let seen = |it: bool| json!({ "seen": it });
        let table = [
            (
                "202, effect",
                feed().answered("control", 202, "").fact("control-effect", seen(true)),
                Pass,
            ),
            (
                "202, no effect",
                feed().answered("control", 202, "").fact("control-effect", seen(false)),
                Inconclusive,
            ),
            ("202, no oracle", sample().answered("control", 202, ""), Pass),
            ("200", sample().answered("control", 200, ""), Fail),
            ("202 with a body", sample().answered("control", 202, "ok"), Fail),
            (
                "refused",
                sample().answered("control", 400, "{\"err\":\"invalid_key\"}"),
                Inconclusive,
            ),
            ("500", sample().answered("control", 500, ""), Inconclusive),
            ("down", sample().silent("control", FailureKind::Connect), Inconclusive),
            ("no harness", sample().fact("harness", json!({"error": "none"})), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        judges(&AcceptsSignedSecurityEvent, &table);
    }
}
