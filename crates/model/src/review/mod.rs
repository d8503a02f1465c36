//! Step 4, review: people decide on one exact assessment; two different people.

pub mod decision;
pub mod quorum;
pub mod waiver;

pub use decision::{Decision, Verb};
pub use quorum::{Approved, QuorumError};
pub use waiver::Waiver;
