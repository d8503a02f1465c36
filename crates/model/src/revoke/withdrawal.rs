//! Trust is withdrawn on every path, timed and proven.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::declare::path::Path;

/// How far the withdrawal of one path has come. Each can only follow the one before.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PathState {
    /// The command was given.
    Asked,
    /// Whoever stands in front of the path says that it now refuses.
    Acknowledged,
    /// A real call was refused, or silence was heard for long enough.
    Proven,
}

impl PathState {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Acknowledged => "acknowledged",
            Self::Proven => "proven",
        }
    }
}

/// One path of one withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathReceipt {
    /// The path.
    pub path: Path,
    /// How far it has come.
    pub state: PathState,
    /// Milliseconds from the command to the state.
    pub ms: u64,
    /// What it rests on, in words: `probe -> invalid_client`.
    pub by: String,
}

/// How trust is withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawalKind {
    /// For good: the way back is a new certification.
    Revoke,
    /// For a time.
    Suspend,
}
