//! Does every path name a way to revoke it?
//!
//! A path that nobody knows how to cut stays open when everything else is cut.
//!
//! Source: NIST SP 800-53r5, AC-2(3); OWASP NHI1:2025.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::{Value, json};

use crate::check::{Check, Info};
use crate::talk::Talk;

/// Does every path name a way to revoke it?
#[derive(Debug, Clone, Copy)]
pub struct NamesAWayToRevokeEveryPath;

#[async_trait::async_trait]
impl Check for NamesAWayToRevokeEveryPath {
    fn info(&self) -> &'static Info {
        &Info {
            name: "names_a_way_to_revoke_every_path",
            case: None,
            controls: &["CTS-WDR-01"],
            question: "How is each path cut?",
            sends: "Nothing. `revoke_by` of each identity, authorization server, callback, webhook, event, resource and job of the manifest is read.",
            passes: "Each names at least one way to revoke it.",
            risk: "After the partner is cut off, one path still answers.",
            fix: "Name a way in `revoke_by` of each identity, callback, webhook, event and job.",
            source: "NIST SP 800-53r5, AC-2(3); OWASP NHI1:2025.",
        }
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let _ = manifest;
        vec![super::MANIFEST.to_owned()]
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let _ = subject;
        let places = |name: &str, ways: Vec<&[String]>| -> Vec<String> {
            let empty = ways.iter().enumerate().filter(|(_, it)| it.is_empty());
            empty.map(|(index, _)| format!("{name}[{index}]")).collect()
        };
        let without = [
            places("identity", manifest.identities.iter().map(|it| &*it.revoke_by).collect()),
            places(
                "authorization_server",
                manifest.authorization_servers.iter().map(|it| &*it.revoke_by).collect(),
            ),
            places("callback", manifest.callbacks.iter().map(|it| &*it.revoke_by).collect()),
            places("webhook", manifest.webhooks.iter().map(|it| &*it.revoke_by).collect()),
            places("event", manifest.events.iter().map(|it| &*it.revoke_by).collect()),
            places("resource", manifest.resources.iter().map(|it| &*it.revoke_by).collect()),
            places("automation", manifest.automations.iter().map(|it| &*it.revoke_by).collect()),
        ]
        .concat();
        let value = json!({ "paths": manifest.paths().len(), "without": without });
        talk.fact("revoke-by", "manifest", value);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("revoke-by") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let paths = fact.get("paths").and_then(Value::as_u64).unwrap_or_default();
        let without: Vec<&str> = fact
            .get("without")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        match without.first() {
            Some(place) => Judgement::fail("a path names no way to revoke it")
                .observed(format!("{} of them: {}", without.len(), without.join(", ")))
                .expected("at least one way for each path")
                .at(*place),
            None => Judgement::pass("every path names a way to revoke it")
                .observed(format!("{paths} paths"))
                .expected("at least one way for each path"),
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
            assert!(!verdicts(&NamesAWayToRevokeEveryPath, text).contains("fail"));
        }
    }

    #[test]
    fn a_path_that_cannot_be_cut_fails() {
        let text = SAAS.replace("revoke_by = [\"subscription-disable\"]", "revoke_by = []");
        assert_eq!(verdicts(&NamesAWayToRevokeEveryPath, &text), "fail");
    }
}
