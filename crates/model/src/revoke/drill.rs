//! A drill: withdrawal, rotation or offboarding, rehearsed with a stopwatch.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use countersign_seal::Digest;

use crate::id::{AssessmentId, DrillId, PersonId};
use crate::time::{Period, Timestamp};

/// What a drill can rehearse.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DrillPart {
    /// What was done is found in the logs.
    Audit,
    /// Every path is shut at once.
    KillSwitch,
    /// Nothing is left behind.
    Offboard,
    /// The key changes without a person and without an outage.
    Rotate,
    /// Events end with their subscription.
    Subscription,
}

impl DrillPart {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] =
        [Self::KillSwitch, Self::Rotate, Self::Subscription, Self::Offboard, Self::Audit];

    /// The word: `kill-switch`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::KillSwitch => "kill-switch",
            Self::Offboard => "offboard",
            Self::Rotate => "rotate",
            Self::Subscription => "subscription",
        }
    }
}

impl fmt::Display for DrillPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A text is no part of a drill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of kill-switch, rotate, subscription, offboard, audit")]
pub struct DrillPartError(pub String);

impl FromStr for DrillPart {
    type Err = DrillPartError;

    fn from_str(text: &str) -> Result<Self, DrillPartError> {
        let known = Self::ALL.into_iter().find(|it| it.word() == text);
        known.ok_or_else(|| DrillPartError(text.chars().take(40).collect()))
    }
}

/// What a drill came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DrillOutcome {
    /// Something could not be seen; nothing was missed.
    Inconclusive,
    /// Every target was met.
    Met,
    /// At least one target was missed.
    Missed,
}

impl DrillOutcome {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inconclusive => "inconclusive",
            Self::Met => "met",
            Self::Missed => "missed",
        }
    }

    /// What single results come to: met or missed, or neither. Nothing at all is inconclusive.
    pub fn of(results: impl IntoIterator<Item = Option<bool>>) -> Self {
        let mut outcome = None;
        for result in results {
            outcome = Some(match (outcome, result) {
                (Some(Self::Missed), _) | (_, Some(false)) => Self::Missed,
                (Some(Self::Inconclusive), _) | (_, None) => Self::Inconclusive,
                (_, Some(true)) => Self::Met,
            });
        }
        outcome.unwrap_or(Self::Inconclusive)
    }
}

/// One live drill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillRecord {
    /// Its id.
    pub id: DrillId,
    /// When it was announced.
    pub at: Timestamp,
    /// By whom.
    pub by: Option<PersonId>,
    /// What it rehearses.
    pub parts: BTreeSet<DrillPart>,
    /// When it is over at the latest.
    pub until: Timestamp,
    /// Digest of whom it was announced to.
    pub announcement: Digest,
    /// Until when gates deny by its order; none where they do not, or no longer.
    pub denies_until: Option<Timestamp>,
    /// How it ended; none while it runs, or where it broke off.
    pub ended: Option<DrillEnd>,
}

/// How a drill ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillEnd {
    /// When.
    pub at: Timestamp,
    /// What it came to.
    pub outcome: DrillOutcome,
    /// The slowest path.
    pub slowest: Period,
    /// Digest of its report.
    pub report: Digest,
    /// The run of checks that it was.
    pub assessment: Option<AssessmentId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_miss_is_a_miss_and_nothing_is_no_success() {
        use DrillOutcome::{Inconclusive, Met, Missed};
        let table: [(&[Option<bool>], DrillOutcome); 6] = [
            (&[], Inconclusive),
            (&[Some(true)], Met),
            (&[Some(true), None], Inconclusive),
            (&[None, Some(true)], Inconclusive),
            (&[Some(false), None, Some(true)], Missed),
            (&[None, Some(false)], Missed),
        ];
        for (results, expected) in table {
            assert_eq!(DrillOutcome::of(results.iter().copied()), expected, "{results:?}");
        }
    }

    #[test]
    fn parts_read_back() {
        for part in DrillPart::ALL {
            assert_eq!(part.word().parse(), Ok(part));
        }
        insta::assert_snapshot!("kill".parse::<DrillPart>().unwrap_err(), @"`kill` is not one of kill-switch, rotate, subscription, offboard, audit");
    }
}
