//! Does the manifest say which data goes where?
//!
//! A data path that nobody declared cannot reopen a certification.
//!
//! Source: NIST CSF 2.0, ID.AM-03; NIST SP 800-53r5, AC-4.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::{Value, json};

use crate::check::{Check, Info};
use crate::talk::Talk;

/// Does the manifest say which data goes where?
#[derive(Debug, Clone, Copy)]
pub struct DeclaresDataPaths;

#[async_trait::async_trait]
impl Check for DeclaresDataPaths {
    fn info(&self) -> &'static Info {
        &Info {
            name: "declares_data_paths",
            case: None,
            controls: &["CTS-CHG-01"],
            question: "Which data goes where?",
            sends: "Nothing. Each `[[data_path]]` of the manifest is read, and the endpoint of each `[[event]]`.",
            passes: "At least one data path is declared, each says which data takes it, and the host of every event endpoint is among their hosts.",
            risk: "Data leaves by a way that nobody decided on.",
            fix: "Declare each data path, and the host of each event endpoint among them.",
            source: "NIST CSF 2.0, ID.AM-03; NIST SP 800-53r5, AC-4.",
        }
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let _ = manifest;
        vec![super::MANIFEST.to_owned()]
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let _ = subject;
        let declared: Vec<String> =
            manifest.data_paths.iter().map(|it| it.endpoint.host()).collect();
        let events: Vec<String> = manifest.events.iter().map(|it| it.endpoint.host()).collect();
        let classes = manifest.data_paths.iter().all(|it| !it.data_classes.is_empty());
        let value = json!({ "declared": declared, "events": events, "all_name_classes": classes });
        talk.fact("data-paths", "manifest", value);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("data-paths") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let hosts = |name: &str| -> Vec<&str> {
            let items = fact.get(name).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).collect()
        };
        let (declared, events) = (hosts("declared"), hosts("events"));
        if declared.is_empty() {
            return Judgement::fail("no data path is declared")
                .observed("no [[data_path]]")
                .expected("one for each way that data takes");
        }
        if fact.get("all_name_classes") != Some(&Value::Bool(true)) {
            return Judgement::fail("a data path does not say which data").at("data_path");
        }
        match events.iter().position(|it| !declared.contains(it)) {
            Some(index) => Judgement::fail("events go to a host that no data path names")
                .observed(events.get(index).copied().unwrap_or_default())
                .expected(declared.join(", "))
                .at(format!("event[{index}].endpoint")),
            None => Judgement::pass("each way that data takes is declared")
                .observed(declared.join(", "))
                .expected("a data path for each host that receives data"),
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
            assert!(!verdicts(&DeclaresDataPaths, text).contains("fail"));
        }
    }

    #[test]
    fn events_to_an_undeclared_host_fail() {
        let text = MARKETPLACE.replace(
            "endpoint     = \"https://in.shiftly.example\"",
            "endpoint     = \"https://other.shiftly.example\"",
        );
        assert_eq!(verdicts(&DeclaresDataPaths, &text), "fail");
    }
}
