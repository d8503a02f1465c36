//! Logs as proof: every line is judged, and none may be missing.

pub mod actions;
pub mod attributable;
pub mod bounded;
pub mod complete;
pub mod declared_use;

mod canary;
pub mod files;
pub mod format;
mod join;
pub mod judge;
mod line;
mod moment;
mod observe;
mod rate;
pub mod record;
pub mod report;
pub mod rules;
mod sequence;
mod tokens;
mod tree;
mod verdict;
mod window;

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &attributable::AttributesEveryTokenRequest,
    &bounded::BoundsEveryTokenInTime,
    &declared_use::KeepsToItsDeclaredUse,
    &complete::LosesNoLogLine,
    &actions::RecordsEveryActionOfTheAccount,
];

#[cfg(test)]
mod tests;
