//! A transcript and its verdict, with digest, collector, time and age limit.

use countersign_seal::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::transcript::Transcript;
use super::verdict::Judgement;
use crate::id::EvidenceId;
use crate::time::Timestamp;

/// The schema name of a piece of evidence.
pub const EVIDENCE_SCHEMA: &str = "countersign.evidence/1";

/// One piece of evidence, as it is stored and exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// `countersign.evidence/1`.
    pub schema: String,
    /// Its id.
    pub id: EvidenceId,
    /// The version of the check's judge.
    pub judge: String,
    /// Who looked: `server`, or an enrolled collector's name.
    pub collector: String,
    /// When it was taken.
    pub at: Timestamp,
    /// What was said and seen.
    pub transcript: Transcript,
    /// What follows from it.
    pub judgement: Judgement,
}

/// A piece of evidence as an assessment names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceRef {
    /// Its id.
    pub id: EvidenceId,
    /// SHA-256 of its canonical form.
    #[schemars(with = "String")]
    pub digest: Digest,
    /// The check.
    pub check: String,
    /// The case it sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The controls that it decides.
    pub controls: Vec<String>,
    /// What was looked at.
    pub subject: String,
    /// When it was taken.
    pub at: Timestamp,
    /// What follows from it.
    pub judgement: Judgement,
    /// Whether it was kept from an earlier assessment because no change touched it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}
