//! Logs as proof: every line is judged, and none may be missing.

pub mod actions;
pub mod attributable;
pub mod bounded;
pub mod complete;
pub mod declared_use;

mod canary;
pub mod files;
mod join;
pub mod judge;
mod moment;
mod observe;
mod rate;
pub mod record;
pub mod report;
pub mod rules;
mod sequence;
mod tokens;
mod verdict;
mod window;

#[cfg(test)]
mod tests;
