//! Is the declared tier at least what the integration can really do?
//!
//! A tier that is too low asks for too little.
//!
//! Source: NIST SP 800-53r5, RA-9; policy.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::require::{Tier, computed_tier};
use serde_json::json;

use crate::check::{Check, Info};
use crate::talk::Talk;

/// Is the declared tier at least what the integration can really do?
#[derive(Debug, Clone, Copy)]
pub struct DeclaresTierNoLowerThanItsPower;

#[async_trait::async_trait]
impl Check for DeclaresTierNoLowerThanItsPower {
    fn info(&self) -> &'static Info {
        &Info {
            name: "declares_tier_no_lower_than_its_power",
            case: None,
            controls: &["CTS-GOV-03"],
            question: "Does the declared tier match what it can do?",
            sends: "Nothing. The tier is computed from the scopes, their uses, webhooks and jobs that the manifest declares.",
            passes: "The declared tier is at least the computed one.",
            risk: "It is held to weaker demands than its power calls for.",
            fix: "Declare the computed tier, or cut the power that leads to it.",
            source: "NIST SP 800-53r5, RA-9; policy.",
        }
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let _ = manifest;
        vec![super::MANIFEST.to_owned()]
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let _ = subject;
        let value = json!({
            "declared": manifest.integration.tier, "computed": computed_tier(manifest),
        });
        talk.fact("tier", "manifest", value);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("tier") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let tier = |name: &str| {
            fact.get(name).and_then(|it| serde_json::from_value::<Tier>(it.clone()).ok())
        };
        let (Some(declared), Some(computed)) = (tier("declared"), tier("computed")) else {
            return Judgement::inconclusive("the tiers were not read");
        };
        let judgement = if declared < computed {
            Judgement::fail(format!("tier `{declared}` is declared, its power is `{computed}`"))
                .at("integration.tier")
        } else {
            Judgement::pass("the declared tier covers what it can do")
        };
        judgement
            .observed(format!("declared {declared}, computed {computed}"))
            .expected(format!("at least {computed}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{MARKETPLACE, PAYROLL, RESELLER, SAAS, verdicts};

    #[test]
    fn the_four_integrations_pass() {
        for text in [SAAS, PAYROLL, RESELLER, MARKETPLACE] {
            assert!(!verdicts(&DeclaresTierNoLowerThanItsPower, text).contains("fail"));
        }
    }

    #[test]
    fn a_tier_below_its_power_fails() {
        let text = PAYROLL.replace("\"critical\"", "\"standard\"");
        assert_eq!(verdicts(&DeclaresTierNoLowerThanItsPower, &text), "fail");
    }
}
