//! The two ports behind which a log is stored.

use std::error::Error;

use countersign_seal::Digest;

use crate::resource::Resource;
use crate::tree::empty_root;

/// Where a published log is read from: a store, a directory, a server.
pub trait ReadTiles {
    /// The bytes of one resource, or `None` where there is none.
    ///
    /// Fails rather than returning more than [`Resource::bytes_max`] bytes.
    fn read(&self, resource: &Resource) -> Result<Option<Vec<u8>>, StoreError>;
}

/// Where a log writes what it publishes.
pub trait TileStore: ReadTiles {
    /// Writes all of them, replacing what is there.
    ///
    /// When this returns `Ok`, all survive a power cut. When it fails, any of them may have been
    /// written and none is half written.
    fn put(&self, resources: &[(Resource, Vec<u8>)]) -> Result<(), StoreError>;

    /// Forgets the partial forms of a tile that is now full. Nothing is lost if this does nothing.
    fn prune(&self, full: &Resource) -> Result<(), StoreError>;
}

/// Where a log remembers how far it got, so that two writers never both go on from there.
pub trait HeadStore {
    /// The head; [`Head::empty`] where nothing was ever written.
    fn head(&self) -> Result<Head, StoreError>;

    /// Replaces `seen` by `next`, or fails if the head has moved on since `seen` was read.
    ///
    /// When this returns `Ok`, the new head survives a power cut. When it fails with
    /// [`HeadError::Store`], either head may be there.
    fn replace_head(&self, seen: &Head, next: &Head) -> Result<(), HeadError>;
}

/// How many entries there are, and their root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

impl Head {
    /// The head of a log without entries.
    pub fn empty() -> Self {
        Self { size: 0, root: empty_root() }
    }
}

/// A failure of the storage.
#[derive(Debug, thiserror::Error)]
#[error("storage could not {action} `{name}`")]
pub struct StoreError {
    /// What was attempted: `read`, `put`, `replace` or `open`.
    pub action: &'static str,
    /// On what.
    pub name: String,
    /// What the storage said.
    pub source: Box<dyn Error + Send + Sync>,
}

/// Why a head was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// Somebody else wrote in between.
    #[error("head has moved on to {size} entries")]
    Moved {
        /// How many entries there are now.
        size: u64,
    },
    /// The storage failed.
    #[error("head cannot be replaced")]
    Store(#[from] StoreError),
}
