//! Does the platform grant nothing that is not declared?
//!
//! Whoever steals the credential can do what is granted, not what is declared.
//!
//! Source: RFC 9700, section 2.3; NIST SP 800-53r5, AC-6.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;

use super::{ask, client_fact, clients, declared, identity, known, unknown, words};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does the platform grant nothing that is not declared?
#[derive(Debug, Clone, Copy)]
pub struct GrantsOnlyDeclaredScopes;

#[async_trait::async_trait]
impl Check for GrantsOnlyDeclaredScopes {
    fn info(&self) -> &'static Info {
        &Info {
            name: "grants_only_declared_scopes",
            case: None,
            controls: &["CTS-SCP-01"],
            question: "Does the platform grant nothing that is not declared?",
            sends: "Nothing. The test and the production tenant are asked which scopes they grant to each client.",
            passes: "At least one of them knows the client, and none grants it a scope that the manifest does not declare.",
            risk: "Whoever steals its credential can do things that nobody reviewed.",
            fix: "Take the scope away at the platform, or declare it with a reason and be reviewed again.",
            source: "RFC 9700, section 2.3; NIST SP 800-53r5, AC-6.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Ask
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        clients(manifest).map(|(_, it)| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some((index, identity)) = identity(manifest, subject) else { return };
        let scopes: Vec<&str> = identity.scopes.iter().map(|it| it.name.as_str()).collect();
        talk.setting("declared", scopes);
        talk.setting("place", format!("identity[{index}]"));
        ask(talk, manifest, |tenant, held| client_fact(tenant, held, identity)).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let declared = declared(transcript, "declared");
        let expected = format!("at most {}", list(&declared));
        let tenants = known(transcript);
        if tenants.is_empty() {
            return unknown(transcript).expected(expected);
        }
        for tenant in &tenants {
            let granted = words(tenant, "/granted/scopes");
            let extra: Vec<&str> =
                granted.iter().copied().filter(|it| !declared.contains(it)).collect();
            if let Some(first) = extra.first() {
                let sentence = format!("scope `{first}` is granted but not declared");
                let name = tenant.get("tenant").and_then(|it| it.as_str()).unwrap_or_default();
                return Judgement::fail(sentence)
                    .observed(format!("the {name} tenant grants {}", list(&granted)))
                    .expected(expected)
                    .at(transcript.text("place").unwrap_or_default())
                    .details(extra.iter().map(|it| (*it).to_owned()));
            }
        }
        let granted = words(tenants[0], "/granted/scopes");
        Judgement::pass("nothing is granted that is not declared")
            .observed(format!("granted: {}", list(&granted)))
            .expected(expected)
    }
}

pub(crate) fn list(words: &[&str]) -> String {
    if words.is_empty() {
        return "nothing".to_owned();
    }
    words.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::json;

    fn with(scopes: &[&str]) -> Sample {
        sample().setting("declared", vec!["tickets:write"]).setting("place", "identity[0]").fact(
            "held",
            json!({"tenant": "test", "client": "acme", "known": true, "granted": {"scopes": scopes}}),
        )
    }

    #[test]
    fn granted_is_a_part_of_declared() {
        let error = sample().fact("held", json!({"error": "it cannot be reached"}));
        let stranger = sample().fact("held", json!({"tenant": "test", "known": false}));
        let other =
            json!({"tenant": "production", "known": true, "granted": {"scopes": ["users:read"]}});
        judges(
            &GrantsOnlyDeclaredScopes,
            &[
                ("as declared", with(&["tickets:write"]), Pass),
                ("less", with(&[]), Pass),
                ("more", with(&["tickets:write", "tenants:delete"]), Fail),
                ("more in the other tenant", with(&[]).fact("held", other), Fail),
                ("platform down", error, Inconclusive),
                ("never registered", stranger, Inconclusive),
            ],
        );
        let judgement = judged(&GrantsOnlyDeclaredScopes, &with(&["tenants:delete"]));
        insta::assert_snapshot!(judgement.sentence, @"scope `tenants:delete` is granted but not declared");
        insta::assert_snapshot!(judgement.observed, @"the test tenant grants `tenants:delete`");
    }
}
