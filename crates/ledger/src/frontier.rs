//! The right edge of the tree: all that is needed to append.

use countersign_seal::Digest;

use crate::resource::{Resource, WIDTH};
use crate::store::{Head, ReadTiles};
use crate::tile::{TileError, encode_entry, encode_hashes, entry_bundle, hash_tile};
use crate::tile::{read_entries, read_hashes};
use crate::tree::{complete, empty_root, join, leaf_hash};

/// The unfinished tile of every level, and the unfinished bundle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frontier {
    size: u64,
    /// Fewer than 256 hashes each, the leaves first.
    levels: Vec<Vec<Digest>>,
    bundle: Vec<u8>,
}

impl Frontier {
    /// Reads the right edge of a tree of `size` entries from its tiles.
    pub(crate) fn load<R: ReadTiles + ?Sized>(reader: &R, size: u64) -> Result<Self, TileError> {
        let mut levels = Vec::new();
        let mut count = size;
        while count != 0 {
            let level = u32::try_from(levels.len()).unwrap_or(u32::MAX);
            let index = count / u64::from(WIDTH);
            levels.push(if count.is_multiple_of(u64::from(WIDTH)) {
                Vec::new()
            } else {
                read_hashes(reader, hash_tile(size, level, index))?
            });
            count = index;
        }
        let mut bundle = Vec::new();
        if !size.is_multiple_of(u64::from(WIDTH)) {
            let resource = entry_bundle(size, size / u64::from(WIDTH));
            for (entry, leaf) in read_entries(reader, resource)?.iter().zip(&levels[0]) {
                if leaf_hash(entry) != *leaf || encode_entry(&mut bundle, entry).is_none() {
                    return Err(TileError::Malformed { resource });
                }
            }
        }
        Ok(Self { size, levels, bundle })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn head(&self) -> Head {
        Head { size: self.size, root: self.root() }
    }

    pub(crate) fn root(&self) -> Digest {
        let root = self.levels.iter().fold(None, |rest, hashes| join(hashes, rest));
        root.unwrap_or_else(empty_root)
    }

    /// Appends one entry; tiles and bundles that become full go to `full`.
    ///
    /// `None` if the entry is too long; then nothing happened.
    pub(crate) fn push(&mut self, entry: &[u8], full: &mut Vec<(Resource, Vec<u8>)>) -> Option<()> {
        encode_entry(&mut self.bundle, entry)?;
        let mut carried = Some(leaf_hash(entry));
        let mut index = self.size / u64::from(WIDTH);
        if self.size % u64::from(WIDTH) == u64::from(WIDTH) - 1 {
            let bundle = std::mem::take(&mut self.bundle);
            full.push((Resource::Entries { index, width: WIDTH }, bundle));
        }
        let mut level = 0;
        while let Some(hash) = carried.take() {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(hash);
            if self.levels[level].len() == usize::from(WIDTH) {
                let hashes = std::mem::take(&mut self.levels[level]);
                let tile = hash_tile(u64::MAX, u32::try_from(level).unwrap_or(u32::MAX), index);
                full.push((tile.full(), encode_hashes(&hashes)));
                carried = Some(complete(hashes));
                level += 1;
                index /= u64::from(WIDTH);
            }
        }
        self.size += 1;
        Some(())
    }

    /// The unfinished tiles and the unfinished bundle, as they are published.
    pub(crate) fn partial(&self) -> Vec<(Resource, Vec<u8>)> {
        let mut partial = Vec::new();
        if !self.bundle.is_empty() {
            let resource = entry_bundle(self.size, self.size / u64::from(WIDTH));
            partial.push((resource, self.bundle.clone()));
        }
        let mut count = self.size;
        for (level, hashes) in self.levels.iter().enumerate() {
            count /= u64::from(WIDTH);
            if !hashes.is_empty() {
                let level = u32::try_from(level).unwrap_or(u32::MAX);
                partial.push((hash_tile(self.size, level, count), encode_hashes(hashes)));
            }
        }
        partial
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;
    use crate::store::TileStore as _;
    use crate::tree::root_of;

    #[test]
    fn the_edge_has_the_root_of_all_leaves_and_loads_from_its_tiles() {
        let store = Memory::new();
        let mut frontier = Frontier::default();
        let mut leaves = Vec::new();
        assert_eq!(frontier.root(), root_of(&leaves));
        for number in 0..67_000_u32 {
            let entry = number.to_be_bytes();
            leaves.push(leaf_hash(&entry));
            let mut full = Vec::new();
            frontier.push(&entry, &mut full).unwrap();
            store.put(&full).unwrap();
            if [0, 1, 254, 255, 256, 511, 1000, 65_535, 65_536, 66_999].contains(&number) {
                store.put(&frontier.partial()).unwrap();
                assert_eq!(frontier.root(), root_of(&leaves), "after {number}");
                let loaded = Frontier::load(&store, frontier.size()).unwrap();
                assert_eq!(loaded.head(), frontier.head(), "after {number}");
                assert_eq!(loaded.partial(), frontier.partial(), "after {number}");
            }
        }
    }
}
