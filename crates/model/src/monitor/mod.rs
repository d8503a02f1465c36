//! Step 7, monitor: later facts are held against what was certified.

pub mod drift;

pub use drift::{Drift, drifts};
