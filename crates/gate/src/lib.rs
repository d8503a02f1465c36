//! May this call proceed? Small, offline, total.
//!
//! A gate answers from a snapshot that it has checked itself: two enrolled people's signatures
//! over each certified grant, against keys that are pinned here. Whatever is unknown, malformed or
//! older than its limit is denied with a reason code.

pub mod decide;
pub mod freshness;
mod gate;
mod network;
pub mod path;
mod rate;
pub mod snapshot;

pub use decide::{Permit, admit};
pub use gate::{Answer, Gate};
pub use snapshot::{Pins, Snapshot, SnapshotError};
