//! What people read of a check: the same sentence in terminal, API and console.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use crate::id::EvidenceId;

/// One finding: a check that did not pass, with everything needed to understand and mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The check's name: `refuses_stale_timestamp`.
    pub check: String,
    /// The case it sends: `WHK-04`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The controls that it decides: `CTS-WHK-02`.
    pub controls: Vec<String>,
    /// What it was about: a path id, or `manifest`.
    pub subject: String,
    /// How it counts.
    pub result: Outcome,
    /// Whether it blocks certification.
    pub blocks: bool,
    /// How bad, by the profile: `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// What is the matter, in one sentence.
    pub sentence: String,
    /// What was seen.
    pub observed: String,
    /// What would have been right.
    pub expected: String,
    /// What can happen, in one sentence.
    pub risk: String,
    /// What to do.
    pub fix: String,
    /// How to see it again by hand.
    pub repeat: String,
    /// Where the demand comes from.
    pub source: String,
    /// The place in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The failing records, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What is still waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<super::verdict::Progress>,
    /// The evidence it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceId>,
    /// Framework ids: `OWASP-NHI5:2025`, `CSF2:PR.AA-05`.
    pub maps: Vec<String>,
}
