//! Does each disclosed holder say what it holds and what for?
//!
//! Tokens that a sub-processor holds are stolen there.
//!
//! Source: NIST CSF 2.0, GV.SC-07; NIST SP 800-53r5, SR-3.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::{Value, json};

use crate::check::{Check, Info};
use crate::talk::Talk;

/// Does each disclosed holder say what it holds and what for?
#[derive(Debug, Clone, Copy)]
pub struct NamesDownstreamHolders;

#[async_trait::async_trait]
impl Check for NamesDownstreamHolders {
    fn info(&self) -> &'static Info {
        &Info {
            name: "names_downstream_holders",
            case: None,
            controls: &["CTS-GOV-07"],
            question: "Who else holds our credentials or data, and what for?",
            sends: "Nothing. Each `[[dependency]]` of the manifest is read. Where none is declared, there is nothing to ask.",
            passes: "Each says what it holds (`holds`) and what for (`for`).",
            risk: "A breach at somebody nobody knew of becomes a breach here.",
            fix: "Name what each dependency holds and what for.",
            source: "NIST CSF 2.0, GV.SC-07; NIST SP 800-53r5, SR-3.",
        }
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let named = !manifest.dependencies.is_empty();
        if named { vec![super::MANIFEST.to_owned()] } else { Vec::new() }
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let _ = subject;
        let empty: Vec<usize> = (0_usize..)
            .zip(&manifest.dependencies)
            .filter(|(_, it)| it.holds.is_empty() || it.purpose.trim().is_empty())
            .map(|(index, _)| index)
            .collect();
        let value = json!({ "named": manifest.dependencies.len(), "without_content": empty });
        talk.fact("holders", "manifest", value);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("holders") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let empty = fact.get("without_content").and_then(Value::as_array);
        match empty.and_then(|it| it.first()).and_then(Value::as_u64) {
            Some(index) => Judgement::fail("a holder says neither what it holds nor what for")
                .observed("`holds` or `for` is empty")
                .expected("data classes or identities, and a purpose")
                .at(format!("dependency[{index}]")),
            None => Judgement::pass("each holder says what it holds and what for")
                .observed(format!("{} named", fact.get("named").unwrap_or(&Value::Null)))
                .expected("each with content and purpose"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{MARKETPLACE, PAYROLL, RESELLER, SAAS, verdicts};

    #[test]
    fn the_four_integrations_pass() {
        for text in [SAAS, PAYROLL, RESELLER, MARKETPLACE] {
            assert!(!verdicts(&NamesDownstreamHolders, text).contains("fail"));
        }
    }

    #[test]
    fn a_holder_without_content_fails() {
        let text = SAAS.replace("holds = [\"display-name\"]", "holds = []");
        assert_eq!(verdicts(&NamesDownstreamHolders, &text), "fail");
    }
}
