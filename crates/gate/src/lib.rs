//! May this call proceed? Small, offline, total.
//!
//! A gate answers from a snapshot that it has checked itself: two enrolled people's signatures
//! over each certified grant, against keys that are pinned here. Whatever is unknown, malformed or
//! older than its limit is denied with a reason code.

pub mod adapter;
pub mod clock;
pub mod decide;
#[cfg(feature = "follow")]
mod entropy;
#[cfg(feature = "follow")]
pub mod follow;
pub mod freshness;
mod gate;
mod heartbeat;
mod log;
mod network;
pub mod path;
mod rate;
pub mod snapshot;

pub use clock::Moment;
pub use decide::{Permit, admit};
pub use gate::{Answer, Gate, Heard, Replayed};
pub use heartbeat::HeartbeatError;
pub use log::{RECORDS_MAX, Record};
pub use snapshot::{EntryError, Pins, Snapshot, SnapshotError};
