//! What an assessment makes of a control.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::Verdict;

/// What an assessment makes of a control.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every check of it passed.
    Pass,
    /// A check of it failed.
    Fail,
    /// A check of it could not be judged.
    Inconclusive,
    /// It asks for nothing that this integration has.
    NotApplicable,
    /// No check exists yet, none ran, or an attestation is missing.
    Open,
    /// Its evidence is older than allowed.
    Stale,
    /// Only time is missing.
    Waiting,
    /// It does not pass, and a live waiver says so.
    Waived,
}

impl Outcome {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::NotApplicable => "not-applicable",
            Self::Open => "open",
            Self::Stale => "stale",
            Self::Waiting => "waiting",
            Self::Waived => "waived",
        }
    }

    /// Whether a required control with this outcome stands in the way of certification.
    ///
    /// Whatever is not known to hold, does.
    pub fn blocks(self) -> bool {
        !matches!(self, Self::Pass | Self::NotApplicable | Self::Waived)
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::Fail,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::NotApplicable => Self::NotApplicable,
        }
    }
}

/// How many outcomes of each kind, with their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Every check of it passed.
    pub pass: u32,
    /// A check of it failed.
    pub fail: u32,
    /// A check of it could not be judged.
    pub inconclusive: u32,
    /// It asks for nothing that this integration has.
    pub not_applicable: u32,
    /// No check exists yet, or an attestation is missing.
    pub open: u32,
    /// Its evidence is older than allowed.
    pub stale: u32,
    /// Only time is missing.
    pub waiting: u32,
    /// A live waiver covers it.
    pub waived: u32,
    /// All of them.
    pub total: u32,
}

impl FromIterator<Outcome> for Summary {
    fn from_iter<T: IntoIterator<Item = Outcome>>(outcomes: T) -> Self {
        let mut sum = Self::default();
        for outcome in outcomes {
            let counter = match outcome {
                Outcome::Pass => &mut sum.pass,
                Outcome::Fail => &mut sum.fail,
                Outcome::Inconclusive => &mut sum.inconclusive,
                Outcome::NotApplicable => &mut sum.not_applicable,
                Outcome::Open => &mut sum.open,
                Outcome::Stale => &mut sum.stale,
                Outcome::Waiting => &mut sum.waiting,
                Outcome::Waived => &mut sum.waived,
            };
            *counter += 1;
            sum.total += 1;
        }
        sum
    }
}
