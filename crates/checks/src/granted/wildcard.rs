//! Does it hold no authority without a bound?
//!
//! One stolen credential of that kind opens everything at once.
//!
//! Source: NIST SP 800-53r5, AC-6(5); OWASP NHI5:2025.

use std::collections::BTreeSet;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::require::scope::scope_power;
use serde_json::Value;

use super::scopes::list;
use super::{ask, client_fact, clients, declared, identity, known, listing, unknown, words};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does it hold no authority without a bound?
#[derive(Debug, Clone, Copy)]
pub struct HoldsNoWildcardAuthority;

#[async_trait::async_trait]
impl Check for HoldsNoWildcardAuthority {
    fn info(&self) -> &'static Info {
        &Info {
            name: "holds_no_wildcard_authority",
            case: None,
            controls: &["CTS-SCP-03"],
            question: "Does it hold no authority without a bound?",
            sends: "Nothing. The scopes that the manifest asks for are read, and both tenants are asked which ones they grant.",
            passes: "No scope among them is a wildcard or reaches the whole tenant, and at least one tenant knows the client.",
            risk: "One stolen credential opens every mailbox, file and role of the organisation.",
            fix: "Replace the scope by ones that name their object and their verb.",
            source: "NIST SP 800-53r5, AC-6(5); OWASP NHI5:2025.",
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
        talk.setting("place", format!("identity[{index}].scope"));
        ask(talk, manifest, |tenant, held| client_fact(tenant, held, identity)).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let declared = declared(transcript, "declared");
        let tenants = known(transcript);
        let granted = tenants.iter().flat_map(|it| words(it, "/granted/scopes"));
        let scopes: BTreeSet<&str> = declared.iter().copied().chain(granted).collect();
        let unbounded: Vec<&str> = scopes.iter().copied().filter(|it| is_unbounded(it)).collect();
        let expected = "scopes that name their object and their verb";
        if let Some(first) = unbounded.first() {
            let holds = |it: &&Value| words(it, "/granted/scopes").contains(first);
            let tenant = tenants.iter().copied().find(holds);
            let tenant = tenant.and_then(|it| it.get("tenant")?.as_str());
            let place = transcript.text("place").unwrap_or_default();
            let repeat = match tenant {
                Some(tenant) => format!("{}  # look at `scopes`", listing(transcript, tenant)),
                None => format!("read `{place}` of the manifest: it asks for `{first}`"),
            };
            return Judgement::fail(format!("scope `{first}` has no bound"))
                .observed(match tenant {
                    Some(tenant) => format!("the {tenant} tenant grants {}", list(&unbounded)),
                    None => format!("the manifest asks for {}", list(&unbounded)),
                })
                .expected(expected)
                .repeat(repeat)
                .at(place);
        }
        if tenants.is_empty() {
            return unknown(transcript).expected(expected);
        }
        let scopes: Vec<&str> = scopes.into_iter().collect();
        Judgement::pass("every scope has a bound").observed(list(&scopes)).expected(expected)
    }
}

fn is_unbounded(scope: &str) -> bool {
    let power = scope_power(scope);
    power.wildcard || power.tenant_wide
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::json;

    #[test]
    fn a_scope_names_its_object_and_its_verb() {
        let with = |declared: &str, granted: &[&str]| {
            let value = json!({"tenant": "test", "known": true, "granted": {"scopes": granted}});
            sample().setting("declared", vec![declared]).fact("held", value)
        };
        let down = sample().setting("declared", vec!["tickets:write"]);
        let declared_only = sample().setting("declared", vec!["tickets:*"]);
        judges(
            &HoldsNoWildcardAuthority,
            &[
                ("bounded", with("tickets:write", &["tickets:write"]), Pass),
                ("declared wildcard", with("tickets:*", &[]), Fail),
                ("granted wildcard", with("tickets:write", &["*"]), Fail),
                ("tenant wide", with("tickets:write", &["Mail.Read.All"]), Fail),
                ("platform down", down, Inconclusive),
                ("platform down, wildcard declared", declared_only.clone(), Fail),
            ],
        );
        let listed = with("tickets:write", &["*"]).setting("repeat.test", "curl list");
        let judgement = judged(&HoldsNoWildcardAuthority, &listed);
        insta::assert_snapshot!(judgement.observed, @"the test tenant grants `*`");
        insta::assert_snapshot!(judgement.repeat.unwrap(), @"curl list  # look at `scopes`");
        let place = declared_only.setting("place", "identity[0].scope");
        let repeat = judged(&HoldsNoWildcardAuthority, &place).repeat.unwrap();
        insta::assert_snapshot!(repeat, @"read `identity[0].scope` of the manifest: it asks for `tickets:*`");
    }
}
