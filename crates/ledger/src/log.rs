//! A log that only grows.
//!
//! The order of writing makes a crash between any two steps harmless: tiles and entries, then the
//! head, then the checkpoint. What a checkpoint speaks of was durable before it was signed; what
//! was written beyond the head is written again, or over, by the next append.

use countersign_seal::{Digest, SigningKey};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::frontier::Frontier;
use crate::note::{Note, NoteError, VerifierKey};
use crate::proof::LogProof;
use crate::resource::{Resource, WIDTH};
use crate::store::{Head, HeadError, HeadStore, StoreError, TileStore};
use crate::tile::{ENTRY_BYTES_MAX, TileError, TileReader, entry_bundle, read_entries};
use crate::tree;

/// A log in a store, with its right edge in memory.
#[derive(Debug)]
pub struct Log<S> {
    store: S,
    origin: String,
    /// Absent after a failure, whose effect is unknown until the store is read again.
    frontier: Option<Frontier>,
    /// Tiles that became full and whose partial forms no later checkpoint needs.
    filled: Vec<Resource>,
}

impl<S: TileStore + HeadStore> Log<S> {
    /// Opens the log called `origin`, which is its key's name too.
    ///
    /// Fails if the tiles do not give the root that the head remembers.
    pub fn open(store: S, origin: &str) -> Result<Self, LogError> {
        let frontier = Some(load(&store)?);
        Ok(Self { store, origin: origin.to_owned(), frontier, filled: Vec::new() })
    }

    /// Appends entries, at most 65 535 bytes each, and returns the new number of entries.
    ///
    /// When this returns `Ok`, they survive a power cut. When it fails, all of them may be there
    /// or none: ask [`Self::size`] before appending them again.
    pub fn append<E: AsRef<[u8]>>(&mut self, entries: &[E]) -> Result<u64, LogError> {
        if ENTRIES_MAX < entries.len() {
            return Err(LogError::TooManyEntries);
        }
        if let Some(place) = entries.iter().position(|it| ENTRY_BYTES_MAX < it.as_ref().len()) {
            return Err(LogError::EntryTooLong { place });
        }
        let mut frontier = match self.frontier.take() {
            Some(frontier) => frontier,
            None => load(&self.store)?,
        };
        if entries.is_empty() {
            let size = frontier.size();
            self.frontier = Some(frontier);
            return Ok(size);
        }
        let seen = frontier.head();
        let mut tiles = Vec::new();
        for entry in entries {
            // The lengths were checked above.
            let _ = frontier.push(entry.as_ref(), &mut tiles);
        }
        let filled: Vec<Resource> = tiles.iter().map(|(resource, _)| *resource).collect();
        tiles.extend(frontier.partial());
        // From here on a failure leaves `self.frontier` absent, so the next call reads again.
        self.store.put(&tiles)?;
        self.store.replace_head(&seen, &frontier.head())?;
        self.filled.extend(filled);
        let size = frontier.size();
        self.frontier = Some(frontier);
        Ok(size)
    }

    /// Signs and publishes a checkpoint over all entries. Returns the published note.
    ///
    /// Refuses to publish anything that contradicts what was published before.
    pub fn checkpoint(&mut self, key: &SigningKey) -> Result<String, LogError> {
        let head = self.head()?;
        let log = VerifierKey::log(&self.origin, key.public())?;
        if let Some(published) = self.published()? {
            let published = Checkpoint::open(&published, &log)?;
            if head.size < published.size || self.root(published.size)? != published.root {
                return Err(LogError::Contradiction { size: published.size });
            }
        }
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: head.size,
            root: head.root,
            extensions: Vec::new(),
        };
        let note = checkpoint.sign(key)?.to_string();
        self.store.put(&[(Resource::Checkpoint, note.clone().into_bytes())])?;
        for full in self.filled.drain(..) {
            // A partial tile that stays costs space and nothing else.
            drop(self.store.prune(&full));
        }
        Ok(note)
    }

    /// The published checkpoint, if there is one.
    pub fn published(&self) -> Result<Option<String>, LogError> {
        let Some(bytes) = self.store.read(&Resource::Checkpoint)? else { return Ok(None) };
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| LogError::Checkpoint(CheckpointError::Malformed))
    }

    /// How many entries there are, published or not.
    pub fn size(&self) -> Result<u64, LogError> {
        self.head().map(|head| head.size)
    }

    /// How many entries there are, and their root.
    pub fn head(&self) -> Result<Head, LogError> {
        match &self.frontier {
            Some(frontier) => Ok(frontier.head()),
            None => Ok(self.store.head()?),
        }
    }

    /// The root over the first `size` entries.
    pub fn root(&self, size: u64) -> Result<Digest, LogError> {
        self.within(size)?;
        Ok(tree::root(&self.tiles()?, size)?)
    }

    /// The entry at `index`.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, LogError> {
        let mut entries = self.entries(index, 1)?;
        entries.pop().ok_or(LogError::OutOfRange { asked: index })
    }

    /// At most `count` entries from `start` on, at most 256; fewer at the end of a bundle.
    pub fn entries(&self, start: u64, count: usize) -> Result<Vec<Vec<u8>>, LogError> {
        let size = self.size()?;
        if size <= start {
            return Ok(Vec::new());
        }
        let bundle = entry_bundle(size, start / u64::from(WIDTH));
        let skipped = usize::try_from(start % u64::from(WIDTH)).unwrap_or(usize::MAX);
        Ok(read_entries(&self.store, bundle)?.into_iter().skip(skipped).take(count).collect())
    }

    /// The hashes that show the entry at `index` among the first `size` entries.
    pub fn prove(&self, index: u64, size: u64) -> Result<Vec<Digest>, LogError> {
        self.within(size)?;
        tree::inclusion(&self.tiles()?, index, size)?.ok_or(LogError::OutOfRange { asked: index })
    }

    /// The hashes that show the first `old` entries to be a prefix of the first `new`.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, LogError> {
        self.within(new)?;
        tree::consistency(&self.tiles()?, old, new)?.ok_or(LogError::OutOfRange { asked: old })
    }

    /// The proof file of a published entry, against the published checkpoint.
    pub fn proof_file(&self, index: u64) -> Result<LogProof, LogError> {
        let note = self.published()?.ok_or(LogError::OutOfRange { asked: index })?;
        let checkpoint = Note::parse(&note)?;
        let size = checkpoint.text().parse::<Checkpoint>()?.size;
        Ok(LogProof { extra: None, index, hashes: self.prove(index, size)?, checkpoint })
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The store, to serve its resources.
    pub const fn store(&self) -> &S {
        &self.store
    }

    fn tiles(&self) -> Result<TileReader<'_, S>, LogError> {
        Ok(TileReader::new(&self.store, self.size()?))
    }

    fn within(&self, size: u64) -> Result<(), LogError> {
        if self.size()? < size { Err(LogError::OutOfRange { asked: size }) } else { Ok(()) }
    }
}

/// Why a log did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The published checkpoint is not ours.
    #[error("published checkpoint is not accepted")]
    Checkpoint(#[from] CheckpointError),
    /// The store holds another history than the one that was published.
    #[error("entries contradict the published checkpoint of {size} entries")]
    Contradiction {
        /// How many entries were published.
        size: u64,
    },
    /// The tiles do not give the root that the head remembers.
    #[error("tiles do not give the root of the {size} entries that were written")]
    Corrupt {
        /// How many entries were written.
        size: u64,
    },
    /// An entry is beyond its limit; none was appended.
    #[error("entry {place} is longer than {ENTRY_BYTES_MAX} bytes")]
    EntryTooLong {
        /// Its place among those to append.
        place: usize,
    },
    /// The head was not replaced.
    #[error("entries were not appended")]
    Head(#[from] HeadError),
    /// The checkpoint could not be signed or read.
    #[error("checkpoint's note is not usable")]
    Note(#[from] NoteError),
    /// There are not so many entries.
    #[error("log has no entry or size {asked}")]
    OutOfRange {
        /// What was asked for.
        asked: u64,
    },
    /// The storage failed.
    #[error("log's storage failed")]
    Store(#[from] StoreError),
    /// A tile is missing or malformed.
    #[error("log's tiles are not usable")]
    Tile(#[from] TileError),
    /// More entries at once than one step takes.
    #[error("more than {ENTRIES_MAX} entries at once")]
    TooManyEntries,
}

fn load<S: TileStore + HeadStore>(store: &S) -> Result<Frontier, LogError> {
    let head = store.head()?;
    let frontier = Frontier::load(store, head.size)?;
    if frontier.head() == head { Ok(frontier) } else { Err(LogError::Corrupt { size: head.size }) }
}

const ENTRIES_MAX: usize = 65_536;
