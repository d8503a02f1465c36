//! Evidence packs: everything that somebody needs to verify one certification without us.
//!
//! `spec/pack.md` describes the document. Reading it needs no server, no network and no clock but
//! the one that is handed in.

mod bound;
pub mod document;
mod evidence;
mod history;
pub mod pins;
pub mod report;
mod status;
mod sweeps;
pub mod verify;

pub use document::{Keys, Logged, PACK_SCHEMA, Pack};
pub use pins::Pins;
pub use report::{Line, Report, Word};
pub use verify::{Judges, verify};
