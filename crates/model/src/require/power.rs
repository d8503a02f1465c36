//! How much an integration can do, by everything that its manifest declares.

use super::scope::{Power, call_power, data_tier, outcome_power, scope_power};
use super::tier::Tier;
use crate::declare::manifest::Manifest;

/// One thing that an integration can do, and the tier that it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The tier that it asks for.
    pub tier: Tier,
    /// The manifest's id of what can do it: `sa:payrun-scim`.
    pub subject: String,
    /// The scope, call, outcome or class of data, as it is written.
    pub word: String,
    /// What that is: `scope`, `use`, `outcome`, `data` or `silence`.
    pub kind: &'static str,
}

/// The tier that follows from what a manifest declares.
///
/// The declared tier may be stricter, never lower.
pub fn computed_tier(manifest: &Manifest) -> Tier {
    reasons(manifest).first().map_or(Tier::Standard, |it| it.tier)
}

/// Everything that asks for a tier, the strictest first, otherwise in the manifest's order.
pub fn reasons(manifest: &Manifest) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut add = |tier, subject: &dyn ToString, word: &str, kind| {
        reasons.push(Reason { tier, subject: subject.to_string(), word: word.to_owned(), kind });
    };
    for identity in &manifest.identities {
        for scope in &identity.scopes {
            let name = scope.name.as_str();
            add(scope_power(name).tier, &identity.id, name, "scope");
            for call in &scope.uses {
                if let Some(power) = call_power(call) {
                    add(power.tier, &identity.id, call, "use");
                }
            }
        }
        // What is not said to be bounded is not taken to be harmless.
        if identity.scopes.is_empty() {
            add(Tier::Elevated, &identity.id, "no scope", "silence");
        }
    }
    for webhook in &manifest.webhooks {
        for outcome in &webhook.may_cause {
            add(outcome_power(outcome).tier, &webhook.id, outcome, "outcome");
        }
    }
    for automation in &manifest.automations {
        for outcome in &automation.may_cause {
            add(outcome_power(outcome).tier, &automation.id, outcome, "outcome");
        }
    }
    for event in &manifest.events {
        for field in &event.fields {
            add(data_tier(field), &event.id, field, "data");
        }
    }
    for path in &manifest.data_paths {
        for class in &path.data_classes {
            add(data_tier(class), &path.id, class, "data");
        }
    }
    reasons.sort_by(|one, other| other.tier.cmp(&one.tier));
    reasons
}

/// Whether a class of data opens doors to whoever reads it.
pub fn is_secret_grade(class: &str) -> bool {
    data_tier(class) == Tier::Critical
}

/// Whether anything that a manifest declares changes users, roles, clients or credentials.
pub fn writes_identity(manifest: &Manifest) -> bool {
    let scopes = manifest.identities.iter().flat_map(|it| &it.scopes);
    let scoped = scopes.flat_map(|scope| {
        let calls = scope.uses.iter().filter_map(|it| call_power(it));
        calls.chain([scope_power(scope.name.as_str())])
    });
    let webhooks = manifest.webhooks.iter().flat_map(|it| &it.may_cause);
    let automations = manifest.automations.iter().flat_map(|it| &it.may_cause);
    let caused = webhooks.chain(automations).map(|it| outcome_power(it));
    scoped.chain(caused).any(|it: Power| it.writes_identity)
}
