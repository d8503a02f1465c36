//! Step 8, revoke: trust is withdrawn on every path, timed and proven; drills rehearse it.

pub mod withdrawal;

pub use withdrawal::{PathReceipt, PathState, WithdrawalKind};
