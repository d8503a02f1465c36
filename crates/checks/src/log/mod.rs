//! Logs as proof: every line is judged, and none may be missing.

pub mod record;
pub mod rules;
