//! Logs as proof: every line is judged, and none may be missing.

pub mod files;
pub mod judge;
mod moment;
mod rate;
pub mod record;
pub mod report;
pub mod rules;
mod sequence;
mod tokens;
