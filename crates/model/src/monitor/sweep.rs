//! What was offboarded is tried again, long after: one drill, and the looks that it owes.

use countersign_seal::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::verdict::Owed;
use crate::id::DrillId;
use crate::time::Timestamp;

/// How many drills of one client are watched at a time.
pub const OF_CLIENT_MAX: usize = 4;
/// How many drills of one integration are.
pub const OF_INTEGRATION_MAX: usize = 64;

/// An offboarding drill whose credentials are kept, to be tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The drill.
    pub drill: DrillId,
    /// The check that began it.
    pub check: String,
    /// What was offboarded a copy of.
    pub subject: String,
    /// The controls that rest on it.
    pub controls: Vec<String>,
    /// The manifest that was in force.
    pub manifest: Digest,
    /// When the copy ended.
    pub began: Timestamp,
    /// The looks that it owes, in the order in which they are due.
    pub sweeps: Vec<Owed>,
    /// When the credentials are thrown away, whatever was seen.
    pub until: Timestamp,
}

/// Why a drill is watched no longer, though it owes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gone {
    /// The credentials are not there any more, or cannot be read.
    Lost,
    /// Their time is over.
    Missed,
}
