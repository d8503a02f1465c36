//! Step 7, monitor: later facts are held against what was certified.

pub mod drift;
pub mod hold;
pub mod sweep;

pub use drift::{Drift, drifts};
pub use hold::holds;
pub use sweep::{Gone, Watch};
