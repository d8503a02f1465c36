//! What asks for recertification, and which checks it reopens.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// All triggers: `catalogue/triggers.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// The checks of logging, scopes and revocation: every trigger reopens them.
    pub always: BTreeSet<String>,
    /// Each trigger, by name: `scope-added`.
    #[serde(rename = "trigger")]
    pub each: BTreeMap<String, Trigger>,
}

/// One thing that asks for recertification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// What happened, in words.
    pub means: String,
    /// The checks that it reopens beside those of every trigger.
    pub reopens: BTreeSet<String>,
}

impl Triggers {
    /// The checks that a trigger reopens, or `None` when it is not known: then all of them.
    pub fn reopened_by(&self, trigger: &str) -> Option<BTreeSet<&str>> {
        let trigger = self.each.get(trigger)?;
        Some(self.always.iter().chain(&trigger.reopens).map(String::as_str).collect())
    }
}
