//! Logs as proof: every line is judged, and none may be missing.

pub mod actions;
pub mod attributable;
pub mod bounded;
pub mod complete;
pub mod declared_use;

mod canary;
mod examine;
pub mod files;
pub mod finding;
mod finish;
pub mod format;
mod frame;
mod join;
pub mod judge;
mod line;
pub mod marks;
mod moment;
mod observe;
pub mod pool;
mod rate;
pub mod record;
pub mod report;
pub mod rules;
mod seen;
mod sequence;
pub mod timeline;
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
