//! Logs as proof: every line is judged, and none may be missing.

pub mod attributable;
pub mod bounded;
pub mod declared_use;

pub mod files;
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
