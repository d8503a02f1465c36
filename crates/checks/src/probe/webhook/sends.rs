//! Do the webhooks that the partner sends bear a signature that verifies?
//!
//! Where they do not, whoever finds the address can say what the partner says. The platform verifies
//! each call by the scheme that the manifest declares, and its record tells which of them verified.
//! Anybody can knock at a public address: calls that did not verify count against the partner only
//! where they came from its own networks, from where one of its signed calls came, or from where one of
//! its clients was granted a token.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme"; the documentation of each scheme; NIST SP 800-53r5, IA-9.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;

use super::came::{Came, judged, read, unjudged};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Do the webhooks that the partner sends bear a signature that verifies?
#[derive(Debug, Clone, Copy)]
pub struct SendsSignedWebhooks;

#[async_trait::async_trait]
impl Check for SendsSignedWebhooks {
    fn info(&self) -> &'static Info {
        &Info {
            name: "sends_signed_webhooks",
            case: None,
            controls: &["CTS-WHK-01"],
            question: "Do the webhooks that it sends bear a signature that verifies?",
            sends: "Nothing. The platform's record of the webhooks that came in the last 24 hours is read.",
            passes: "At least one verified with the partner's key by the declared scheme, and each that came from the partner itself does. Calls from elsewhere do not count against it.",
            risk: "Whoever finds the address can say here what the partner says.",
            fix: "Sign what the scheme wants signed in every webhook, retries too, with the key that the platform holds.",
            source: "Standard Webhooks 1.0, \"Signature scheme\"; the documentation of each scheme; NIST SP 800-53r5, IA-9.",
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
        judged(transcript, judge).expected("each call verifies with the partner's key")
    }
}

fn judge(came: Came) -> Judgement {
    if 0 < came.wrong.count {
        let sentence = "webhooks come from the partner without a signature that verifies";
        return Judgement::fail(sentence).observed(came.words()).details(came.wrong.latest);
    }
    unjudged(&came).unwrap_or_else(|| {
        Judgement::pass("each webhook of the partner's verifies").observed(came.words())
    })
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::json;

    use super::*;
    use crate::sample::{self, judges, sample};

    #[test]
    fn only_what_the_partner_sent_counts_against_it() {
        let seen = |verified: u32, wrong: u32, strangers: u32| {
            let lines = vec!["2026-11-24T03:05:11.000Z: unsigned"; wrong as usize];
            let wrong = json!({ "count": wrong, "latest": lines });
            let fact = json!({
                "declared": "stripe", "verified": verified, "wrong": wrong, "strangers": strangers,
            });
            sample().fact("webhooks", fact)
        };
        let other = || {
            let fact = json!({ "declared": "stripe", "verified": 0, "others": ["github"] });
            sample().fact("webhooks", fact)
        };
        let error = || json!({ "error": "HTTP 500" });
        judges(
            &SendsSignedWebhooks,
            &[
                ("all signed", seen(3, 0, 0), Pass),
                ("strangers knock", seen(3, 0, 9), Pass),
                ("none signed", seen(0, 3, 0), Fail),
                ("some signed", seen(9, 1, 0), Fail),
                ("silent", seen(0, 0, 0), Inconclusive),
                ("only strangers", seen(0, 0, 4), Inconclusive),
                ("by another scheme", other(), Inconclusive),
                ("nothing was read", sample(), Inconclusive),
                ("no platform", sample().fact("platform", error()), Inconclusive),
                ("a broken platform", sample().fact("calls", error()), Inconclusive),
                ("no token log", seen(3, 0, 1).fact("addresses", error()), Inconclusive),
            ],
        );
        assert!(sample::judged(&SendsSignedWebhooks, &seen(0, 0, 4)).waiting.is_some());
    }
}
