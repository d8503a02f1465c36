//! Verifies a published log offline: every entry, every tile, the root and the signature.
//!
//! Whatever the bytes are, the answer is a verdict: nothing here trusts the log's own words.

use countersign_seal::Digest;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::frontier::Frontier;
use crate::note::VerifierKey;
use crate::resource::{Resource, WIDTH};
use crate::store::{ReadTiles, StoreError};
use crate::tile::{TileError, decode_hashes, entry_bundle, hash_tile, read_entries, read_hashes};
use crate::tree::leaf_hash;

/// A log whose every entry was found under the signed root.
///
/// [`verify`] is its only source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedLog {
    /// The checkpoint that holds.
    pub checkpoint: Checkpoint,
    /// The earlier checkpoint that is a prefix of it, if one was given.
    pub earlier: Option<Checkpoint>,
}

/// Verifies the log that `reader` publishes against the key of the log.
///
/// `earlier` is a checkpoint kept from before: its entries must be the first ones of today's.
/// `entry` sees each entry after it was found under its tile; nothing is proven before this returns.
pub fn verify<R: ReadTiles + ?Sized>(
    reader: &R,
    log: &VerifierKey,
    earlier: Option<&str>,
    mut entry: impl FnMut(u64, &[u8]),
) -> Result<VerifiedLog, VerifyError> {
    let note = reader.read(&Resource::Checkpoint)?.ok_or(VerifyError::NoCheckpoint)?;
    let note = String::from_utf8(note).map_err(|_| CheckpointError::Malformed)?;
    let checkpoint = Checkpoint::open(&note, log)?;
    let earlier = match earlier {
        None => None,
        Some(note) => Some(Checkpoint::open(note, log).map_err(VerifyError::Earlier)?),
    };
    if let Some(earlier) = &earlier
        && checkpoint.size < earlier.size
    {
        return Err(VerifyError::Shrunk { was: earlier.size, is: checkpoint.size });
    }
    let mut rebuilt = Rebuilt { reader, size: checkpoint.size, edge: Frontier::default() };
    rebuilt.check_prefix(earlier.as_ref())?;
    while rebuilt.edge.size() < checkpoint.size {
        rebuilt.next_bundle(earlier.as_ref(), &mut entry)?;
    }
    rebuilt.check_edge()?;
    if rebuilt.edge.root() != checkpoint.root {
        return Err(VerifyError::Root { found: rebuilt.edge.root(), signed: checkpoint.root });
    }
    Ok(VerifiedLog { checkpoint, earlier })
}

/// Why a log is not what it claims to be.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The signed checkpoint is not accepted.
    #[error("checkpoint is not accepted")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint kept from before is not this log's.
    #[error("earlier checkpoint is not accepted")]
    Earlier(#[source] CheckpointError),
    /// An entry is not the one whose hash stands in the tile.
    #[error("entry {index} in `{bundle}` is not the one in `{tile}`")]
    Entry {
        /// The entry's place in the log.
        index: u64,
        /// Where the entry stands.
        bundle: Resource,
        /// Where its hash stands.
        tile: Resource,
    },
    /// There is no checkpoint.
    #[error("log has no checkpoint")]
    NoCheckpoint,
    /// A hash is not the one over the tile below it.
    #[error("hash {position} in `{tile}` is not that of the tile below it")]
    Node {
        /// The tile.
        tile: Resource,
        /// The place within it.
        position: usize,
    },
    /// The first entries are others than they were.
    #[error("first {size} entries are not the ones of the earlier checkpoint")]
    Rewritten {
        /// How many entries the earlier checkpoint has.
        size: u64,
    },
    /// The entries have another root than the one that was signed.
    #[error("entries have the root {found}, and {signed} was signed")]
    Root {
        /// The root of the entries.
        found: Digest,
        /// The signed root.
        signed: Digest,
    },
    /// There are fewer entries than there were.
    #[error("log had {was} entries and has {is}")]
    Shrunk {
        /// How many it had.
        was: u64,
        /// How many it has.
        is: u64,
    },
    /// The log cannot be read.
    #[error("log cannot be read")]
    Store(#[from] StoreError),
    /// A tile is missing or malformed.
    #[error("a tile is not usable")]
    Tile(#[from] TileError),
}

struct Rebuilt<'a, R: ?Sized> {
    reader: &'a R,
    size: u64,
    edge: Frontier,
}

impl<R: ReadTiles + ?Sized> Rebuilt<'_, R> {
    fn next_bundle(
        &mut self,
        earlier: Option<&Checkpoint>,
        entry: &mut impl FnMut(u64, &[u8]),
    ) -> Result<(), VerifyError> {
        let number = self.edge.size() / u64::from(WIDTH);
        let bundle = entry_bundle(self.size, number);
        let tile = hash_tile(self.size, 0, number);
        let hashes = read_hashes(self.reader, tile)?;
        let mut full = Vec::new();
        for (bytes, hash) in read_entries(self.reader, bundle)?.iter().zip(&hashes) {
            let index = self.edge.size();
            if leaf_hash(bytes) != *hash || self.edge.push(bytes, &mut full).is_none() {
                return Err(VerifyError::Entry { index, bundle, tile });
            }
            entry(index, bytes);
            self.check_prefix(earlier)?;
        }
        full.iter().try_for_each(|(resource, bytes)| self.check_tile(*resource, bytes))
    }

    fn check_prefix(&self, earlier: Option<&Checkpoint>) -> Result<(), VerifyError> {
        match earlier {
            Some(it) if it.size == self.edge.size() && it.root != self.edge.root() => {
                Err(VerifyError::Rewritten { size: it.size })
            }
            _ => Ok(()),
        }
    }

    /// The tiles that are not full, as the rebuilt tree has them.
    fn check_edge(&self) -> Result<(), VerifyError> {
        let partial = self.edge.partial();
        partial.iter().try_for_each(|(resource, bytes)| self.check_tile(*resource, bytes))
    }

    /// Level 0 was compared entry by entry; above it, the tiles must be the ones we computed.
    fn check_tile(&self, tile: Resource, expected: &[u8]) -> Result<(), VerifyError> {
        if !matches!(tile, Resource::Hashes { level: 1.., .. }) {
            return Ok(());
        }
        let found = read_hashes(self.reader, tile)?;
        let expected = decode_hashes(expected).unwrap_or_default();
        match found.iter().zip(&expected).position(|(found, expected)| found != expected) {
            Some(position) => Err(VerifyError::Node { tile, position }),
            None => Ok(()),
        }
    }
}
