//! A difference from the baseline.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::certify::baseline::Baseline;

/// One difference between what was certified and what is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// The word of the manifest's `[recertify] on` list: `scope-added`.
    pub trigger: String,
    /// Where: `acme-helpdesk: scope`.
    pub place: String,
    /// What was certified.
    pub before: String,
    /// What is.
    pub after: String,
}

/// What the platform holds now against what was certified: each difference once, in a fixed order.
pub fn drifts(certified: &Baseline, now: &Baseline) -> Vec<Drift> {
    let mut found = Vec::new();
    let mut add = |trigger: &str, place: String, before: String, after: String| {
        found.push(Drift { trigger: trigger.to_owned(), place, before, after });
    };
    for (client, granted) in &now.granted {
        let Some(before) = certified.granted.get(client) else {
            add("key-changed", format!("{client}: identity"), "unknown".into(), "present".into());
            continue;
        };
        for scope in granted.scopes.difference(&before.scopes) {
            add("scope-added", format!("{client}: scope"), "not granted".into(), scope.clone());
        }
        for key in granted.keys.difference(&before.keys) {
            add("key-changed", format!("{client}: key"), "unknown".into(), key.clone());
        }
        for address in granted.redirect_uris.difference(&before.redirect_uris) {
            add(
                "endpoint-changed",
                format!("{client}: redirect"),
                "unknown".into(),
                address.clone(),
            );
        }
        if before.token_ttl_seconds < granted.token_ttl_seconds {
            let words = |it: u64| format!("{it} s");
            let (old, new) = (words(before.token_ttl_seconds), words(granted.token_ttl_seconds));
            add("scope-added", format!("{client}: token lifetime"), old, new);
        }
        if before.auth != granted.auth {
            add(
                "key-changed",
                format!("{client}: auth"),
                before.auth.clone(),
                granted.auth.clone(),
            );
        }
    }
    for (id, types) in &now.subscriptions {
        let none = std::collections::BTreeSet::new();
        let before = certified.subscriptions.get(id).unwrap_or(&none);
        for kind in types.difference(before) {
            add("event-type-added", format!("{id}: event"), "not subscribed".into(), kind.clone());
        }
    }
    found.sort();
    found.dedup();
    found
}
