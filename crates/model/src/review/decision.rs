//! What two people sign: one statement about one assessment, with the grant that it allows.

use std::collections::BTreeSet;

use countersign_seal::statement::{PAYLOAD_TYPE, Statement, Subject};
use countersign_seal::{CanonicalError, Digest, canonical_json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::declare::words::{ProfileRef, ScopeName};
use crate::enforce::grant::Grant;
use crate::id::{AssessmentId, DecisionId, IntegrationId, WaiverId};
use crate::require::tier::Tier;
use crate::time::Timestamp;

/// The predicate type of a decision.
pub const DECISION_TYPE: &str = "https://countersign.example/decision/v1";
/// The schema name of a decision.
pub const DECISION_SCHEMA: &str = "countersign.decision/1";

/// The predicate of the statement that approvers sign. The statement's subject is the manifest's digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// `countersign.decision/1`.
    pub schema: String,
    /// Its id.
    pub decision: DecisionId,
    /// What it is about.
    pub integration: IntegrationId,
    /// The assessment that was reviewed.
    pub assessment: AssessmentId,
    /// SHA-256 of the assessment's canonical form.
    #[schemars(with = "String")]
    pub assessment_digest: Digest,
    /// Manifest and what was really granted at the platform.
    #[schemars(with = "String")]
    pub baseline: Digest,
    /// SHA-256 of the difference that was on the screen.
    #[schemars(with = "String")]
    pub seen_diff: Digest,
    /// The profile that judged.
    pub profile: ProfileRef,
    /// The tier in force.
    pub tier: Tier,
    /// Waivers that it accepts.
    pub waivers: Vec<WaiverId>,
    /// Scopes that were asked for and are not granted.
    pub removed_scopes: BTreeSet<ScopeName>,
    /// What the integration may do.
    pub grant: Grant,
    /// From when it counts.
    pub not_before: Timestamp,
    /// Until when it counts at most, exclusively.
    pub not_after: Timestamp,
}

impl Decision {
    /// The in-toto statement over this decision, in canonical form: the bytes that are signed.
    pub fn statement(&self, manifest: Digest) -> Result<Vec<u8>, CanonicalError> {
        let subject = Subject::new(&format!("integration/{}", self.grant.integration), manifest);
        canonical_json(&Statement::new(DECISION_TYPE, vec![subject], self.clone()))
    }

    /// The DSSE payload type of a statement.
    pub fn payload_type() -> &'static str {
        PAYLOAD_TYPE
    }
}

/// What a reviewer can decide.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Trust it as it is.
    Approve,
    /// Do not trust it.
    Disable,
    /// Hand it to another owner first.
    Reassign,
    /// Trust it with fewer scopes.
    RightSize,
    /// Replace its credentials first.
    Rotate,
}

impl Verb {
    /// All five.
    pub const ALL: [Self; 5] =
        [Self::Approve, Self::RightSize, Self::Rotate, Self::Reassign, Self::Disable];

    /// The word: `right-size`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Disable => "disable",
            Self::Reassign => "reassign",
            Self::RightSize => "right-size",
            Self::Rotate => "rotate",
        }
    }

    /// Whether it lets the integration in, and so needs two people and signatures.
    pub fn grants(self) -> bool {
        matches!(self, Self::Approve | Self::RightSize)
    }
}
