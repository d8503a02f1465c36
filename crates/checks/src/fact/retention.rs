//! Are log lines kept long enough to answer a question that is asked late?
//!
//! Most intrusions are found after weeks.
//!
//! Source: NIST SP 800-53r5, AU-11; policy: 365 days in production.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Environment;
use countersign_model::time::Period;
use serde_json::{Value, json};

use crate::check::{Check, Info};
use crate::talk::Talk;

/// Are log lines kept long enough to answer a question that is asked late?
#[derive(Debug, Clone, Copy)]
pub struct KeepsLogsLongEnough;

#[async_trait::async_trait]
impl Check for KeepsLogsLongEnough {
    fn info(&self) -> &'static Info {
        &Info {
            name: "keeps_logs_long_enough",
            case: None,
            controls: &["CTS-LOG-04"],
            question: "How long are log lines kept?",
            sends: "Nothing. `logging.retention` of the manifest is read.",
            passes: "It is at least 365 days in production; in a sandbox, any time at all.",
            risk: "When the question is asked, the answer is gone.",
            fix: "Keep log lines for at least 365 days.",
            source: "NIST SP 800-53r5, AU-11; policy: 365 days in production.",
        }
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let _ = manifest;
        vec![super::MANIFEST.to_owned()]
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let _ = subject;
        let value = json!({
            "retention_seconds": manifest.logging.retention.seconds(),
            "production": manifest.environment == Environment::Production,
        });
        talk.fact("logging", "manifest", value);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("logging") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let seconds = fact.get("retention_seconds").and_then(Value::as_u64).unwrap_or_default();
        let production = fact.get("production") != Some(&Value::Bool(false));
        let least = if production { 365 * 86_400 } else { 1 };
        let words = |it| Period::from_seconds(it).to_string();
        let judgement = if seconds < least {
            Judgement::fail("log lines are not kept long enough").at("logging.retention")
        } else {
            Judgement::pass("log lines are kept long enough")
        };
        judgement.observed(words(seconds)).expected(format!("at least {}", words(least)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{MARKETPLACE, PAYROLL, RESELLER, SAAS, verdicts};

    #[test]
    fn the_four_integrations_pass() {
        for text in [SAAS, PAYROLL, RESELLER, MARKETPLACE] {
            assert!(!verdicts(&KeepsLogsLongEnough, text).contains("fail"));
        }
    }

    #[test]
    fn a_short_retention_fails_in_production() {
        let text = SAAS.replace("retention = \"400d\"", "retention = \"100d\"");
        assert_eq!(verdicts(&KeepsLogsLongEnough, &text), "fail");
    }
}
