//! Can no webhook that the partner sends be sent again by whoever saw it?
//!
//! A signature says who wrote a message. Only a signed time says when, and only a signed id says that
//! it came before. Some schemes sign no time, or no id: who uses them passes nothing here, and the
//! finding says what cannot be told.
//!
//! Source: Standard Webhooks 1.0, "Verifying webhook authenticity"; the documentation of each scheme; RFC 9421, section 7.2.2; NIST SP 800-53r5, SC-23.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_seal::scheme::SCHEMES;

use super::came::{Came, judged, read, unjudged};
use crate::check::{Check, Info, Stage};
use crate::platform::Unproven;
use crate::talk::Talk;

/// Can no webhook that the partner sends be sent again by whoever saw it?
#[derive(Debug, Clone, Copy)]
pub struct SendsFreshWebhooks;

#[async_trait::async_trait]
impl Check for SendsFreshWebhooks {
    fn info(&self) -> &'static Info {
        &Info {
            name: "sends_fresh_webhooks",
            case: None,
            controls: &["CTS-WHK-02"],
            question: "Can no webhook that it sends be sent again by whoever saw it?",
            sends: "Nothing. The platform's record of the webhooks that came in the last 24 hours is read.",
            passes: "At least one verified. Each that came from the partner itself bears a signed time inside the declared window, and a signed id that stood for no other message. Where the scheme signs no time or no id the check says so, and passes nothing.",
            risk: "Whoever saw one webhook can make it happen here again.",
            fix: "Sign each attempt at the time when it is sent, and give each message an id of its own that stays when it is sent again. Where the scheme signs no time or no id, use one that does.",
            source: "Standard Webhooks 1.0, \"Verifying webhook authenticity\"; the documentation of each scheme; RFC 9421, section 7.2.2; NIST SP 800-53r5, SC-23.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Afterwards
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        manifest.webhooks.iter().map(|it| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        read(subject, manifest, talk).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let judgement = judged(transcript, judge);
        if judgement.expected.is_empty() { judgement.expected(EXPECTED) } else { judgement }
    }
}

const EXPECTED: &str =
    "a signed time inside the window, and a signed id that stands for one message";

fn judge(came: Came) -> Judgement {
    if 0 < came.untimely.count {
        let sentence = "webhooks come from the partner with a time outside of the window";
        return Judgement::fail(sentence).observed(came.words()).details(came.untimely.latest);
    }
    if 0 < came.reused.count {
        let sentence = "webhooks come from the partner with an id that stood for another one";
        return Judgement::fail(sentence)
            .observed(format!("{}; {} with an id of another one", came.words(), came.reused.count))
            .details(came.reused.latest);
    }
    unjudged(&came).or_else(|| unproven(&came)).unwrap_or_else(|| {
        Judgement::pass("each webhook of the partner's is fresh, and has an id of its own")
            .observed(came.words())
    })
}

/// What the scheme leaves open.
fn unproven(came: &Came) -> Option<Judgement> {
    let words = came.unproven.iter().map(|it| match it {
        Unproven::NoId => "bears no id",
        Unproven::NoTime => "signs no time",
        Unproven::UnsignedId => "signs no id",
    });
    let words: Vec<&str> = words.collect();
    if words.is_empty() {
        return None;
    }
    let sentence = format!(
        "what came by the scheme `{}` {}: whether it was sent before cannot be told",
        came.declared,
        words.join(" and ")
    );
    let better = SCHEMES.iter().filter(|it| it.facts().time.is_some() && it.facts().id_signed);
    let better: Vec<String> = better.map(|it| format!("`{}`", it.name())).collect();
    Some(Judgement::inconclusive(sentence).observed(came.words()).expected(format!(
        "a scheme that signs the time of sending and an id, and messages that bear one: {}",
        better.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::{Value, json};

    use super::*;
    use crate::sample::{self, Sample, judges, sample};

    fn seen(verified: u32, more: &Value) -> Sample {
        let mut fact = json!({ "declared": "github", "verified": verified });
        for (name, value) in more.as_object().into_iter().flatten() {
            fact[name] = value.clone();
        }
        sample().fact("webhooks", fact)
    }

    #[test]
    fn what_a_scheme_leaves_open_is_said_and_not_passed() {
        let some = || json!({ "count": 1, "latest": ["2026-11-24T03:05:11.000Z: x"] });
        let open = |it: &[&str]| seen(3, &json!({ "unproven": it }));
        judges(
            &SendsFreshWebhooks,
            &[
                ("fresh", seen(3, &json!({})), Pass),
                ("strangers knock", seen(3, &json!({ "strangers": 7 })), Pass),
                ("late", seen(3, &json!({ "untimely": some() })), Fail),
                ("an id of another one", seen(3, &json!({ "reused": some() })), Fail),
                (
                    "an id of another one that nobody signed",
                    seen(3, &json!({ "reused": some(), "unproven": ["unsigned-id"] })),
                    Fail,
                ),
                ("no time", open(&["no-time"]), Inconclusive),
                ("no id", open(&["no-id"]), Inconclusive),
                ("an id that nobody signed", open(&["unsigned-id"]), Inconclusive),
                ("none came", seen(0, &json!({})), Inconclusive),
                ("by another scheme", seen(0, &json!({ "others": ["slack"] })), Inconclusive),
                ("nothing was read", sample(), Inconclusive),
            ],
        );
        let judgement = sample::judged(&SendsFreshWebhooks, &open(&["no-time", "unsigned-id"]));
        insta::assert_snapshot!(judgement.sentence, @"what came by the scheme `github` signs no time and signs no id: whether it was sent before cannot be told");
        insta::assert_snapshot!(judgement.expected, @"a scheme that signs the time of sending and an id, and messages that bear one: `http-message-signatures`, `set`, `slack`, `standard-webhooks`, `stripe`");
    }
}
