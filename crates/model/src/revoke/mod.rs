//! Step 8, revoke: trust is withdrawn on every path, timed and proven; drills rehearse it.

pub mod drill;
pub mod withdrawal;

pub use drill::{DrillEnd, DrillOutcome, DrillPart, DrillRecord};
pub use withdrawal::{PathReceipt, PathState, WithdrawalKind};
