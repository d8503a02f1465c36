//! Does the manifest say when the question is asked again, soon enough for its tier?
//!
//! Trust without an end is trust that nobody reviews.
//!
//! Source: NIST SP 800-53r5, CA-7; policy.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::require::Catalogue;
use countersign_model::time::Period;
use serde_json::{Value, json};

use crate::check::{Check, Info};
use crate::talk::Talk;

/// Does the manifest say when the question is asked again, soon enough for its tier?
#[derive(Debug, Clone, Copy)]
pub struct BoundsAgeOfEvidence;

#[async_trait::async_trait]
impl Check for BoundsAgeOfEvidence {
    fn info(&self) -> &'static Info {
        &Info {
            name: "bounds_age_of_evidence",
            case: None,
            controls: &["CTS-CHG-02"],
            question: "How long does a decision last?",
            sends: "Nothing. `recertify.max_age` of the manifest is read, and the limit of its profile.",
            passes: "`recertify.max_age` is not longer than the profile allows.",
            risk: "Nobody asks again until something happens.",
            fix: "Shorten `recertify.max_age` to the limit of the profile.",
            source: "NIST SP 800-53r5, CA-7; policy.",
        }
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let _ = manifest;
        vec![super::MANIFEST.to_owned()]
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let _ = subject;
        let profile = Catalogue::embedded().profile(manifest.profile.as_str());
        let value = json!({
            "max_age_seconds": manifest.recertify.max_age.seconds(),
            "limit_seconds": profile.map(|it| it.max_age.seconds()),
        });
        talk.fact("recertify", "manifest", value);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("recertify") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let number = |name: &str| fact.get(name).and_then(Value::as_u64);
        let (Some(age), Some(limit)) = (number("max_age_seconds"), number("limit_seconds")) else {
            return Judgement::inconclusive("the profile's limit is not known");
        };
        let words = |it| Period::from_seconds(it).to_string();
        let judgement = if limit < age {
            Judgement::fail("a decision lasts longer than the profile allows")
                .at("recertify.max_age")
        } else {
            Judgement::pass("a decision ends in time")
        };
        judgement.observed(words(age)).expected(format!("at most {}", words(limit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{MARKETPLACE, PAYROLL, RESELLER, SAAS, verdicts};

    #[test]
    fn the_four_integrations_pass() {
        for text in [SAAS, PAYROLL, RESELLER, MARKETPLACE] {
            assert!(!verdicts(&BoundsAgeOfEvidence, text).contains("fail"));
        }
    }

    #[test]
    fn a_decision_that_lasts_too_long_fails() {
        let text = PAYROLL.replace("max_age = \"90d\"", "max_age = \"400d\"");
        assert_eq!(verdicts(&BoundsAgeOfEvidence, &text), "fail");
    }
}
