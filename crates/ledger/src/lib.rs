//! The append-only signed log: tree, tiles, checkpoint, proofs and their verification.
//!
//! The tree and the formats are pure. Storage is behind two ports ([`TileStore`], [`HeadStore`]);
//! [`Memory`] and [`Directory`] implement both. `spec/ledger.md` describes the format.

pub mod checkpoint;
pub mod cosignature;
pub mod directory;
mod encoding;
mod frontier;
pub mod log;
pub mod memory;
pub mod note;
pub mod proof;
pub mod resource;
pub mod store;
pub mod tile;
pub mod tree;
pub mod verify;

pub use checkpoint::Checkpoint;
pub use directory::Directory;
pub use log::{Log, LogError};
pub use memory::Memory;
pub use note::{Note, NoteError, VerifierKey};
pub use proof::LogProof;
pub use resource::Resource;
pub use store::{Head, HeadError, HeadStore, ReadTiles, StoreError, TileStore};
