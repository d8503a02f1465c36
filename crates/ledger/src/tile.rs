//! What stands in a tile: hashes side by side, or entries with their lengths.
//!
//! Source: c2sp.org/tlog-tiles, "Merkle Tree" and "Log entries".

use countersign_seal::Digest;

use crate::resource::{Resource, WIDTH};
use crate::store::{ReadTiles, StoreError};
use crate::tree::{Subtrees, complete};

/// The most bytes of one entry.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// The bytes of a tile with these hashes.
pub fn encode_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Reads exactly `width` hashes; a full tile may stand for a partial one.
pub fn decode_hashes(bytes: &[u8]) -> Option<Vec<Digest>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    let fits = rest.is_empty() && hashes.len() <= usize::from(WIDTH);
    fits.then(|| hashes.iter().copied().map(Digest::from_bytes).collect())
}

/// Appends one entry to the bytes of a bundle; `None` if it is too long.
pub fn encode_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Option<()> {
    let length = u16::try_from(entry.len()).ok()?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Some(())
}

/// Reads all entries of a bundle: at most 256, and nothing after the last.
pub fn decode_entries(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        if usize::from(WIDTH) <= entries.len() {
            return None;
        }
        entries.push(entry);
        rest = after;
    }
    Some(entries)
}

/// The hashes of a tile. Where a partial tile is gone, the full one stands for it.
pub fn read_hashes<R: ReadTiles + ?Sized>(
    reader: &R,
    resource: Resource,
) -> Result<Vec<Digest>, TileError> {
    let (bytes, found) = read_either(reader, resource)?;
    let mut hashes = decode_hashes(&bytes).ok_or(TileError::Malformed { resource: found })?;
    if hashes.len() != usize::from(found.width()) {
        return Err(TileError::Malformed { resource: found });
    }
    hashes.truncate(usize::from(resource.width()));
    Ok(hashes)
}

/// The entries of a bundle. Where a partial bundle is gone, the full one stands for it.
pub fn read_entries<R: ReadTiles + ?Sized>(
    reader: &R,
    resource: Resource,
) -> Result<Vec<Vec<u8>>, TileError> {
    let (bytes, found) = read_either(reader, resource)?;
    let entries = decode_entries(&bytes).ok_or(TileError::Malformed { resource: found })?;
    if entries.len() != usize::from(found.width()) {
        return Err(TileError::Malformed { resource: found });
    }
    Ok(entries.into_iter().take(usize::from(resource.width())).map(<[u8]>::to_vec).collect())
}

/// The hashes of a tree of `size` entries, read from its tiles.
#[derive(Debug)]
pub struct TileReader<'a, R: ?Sized> {
    reader: &'a R,
    size: u64,
}

impl<'a, R: ReadTiles + ?Sized> TileReader<'a, R> {
    /// Reads the tiles that a tree of `size` entries has.
    pub const fn new(reader: &'a R, size: u64) -> Self {
        Self { reader, size }
    }
}

impl<R: ReadTiles + ?Sized> Subtrees for TileReader<'_, R> {
    type Error = TileError;

    fn subtree(&self, level: u32, index: u64) -> Result<Digest, TileError> {
        let tile_level = level / 8;
        let inner = level % 8;
        let first = index << inner;
        let tile = hash_tile(self.size, tile_level, first / u64::from(WIDTH));
        let hashes = read_hashes(self.reader, tile)?;
        let start = usize::try_from(first % u64::from(WIDTH)).unwrap_or(usize::MAX);
        let wanted = start
            .checked_add(1 << inner)
            .and_then(|end| hashes.get(start..end))
            .ok_or(TileError::Malformed { resource: tile })?;
        Ok(complete(wanted.to_vec()))
    }
}

/// The tile as it is in a tree of `size` entries: full, or as wide as the tree is there.
pub fn hash_tile(size: u64, level: u32, index: u64) -> Resource {
    let hashes = size.checked_shr(8 * level).unwrap_or(0);
    let level = u8::try_from(level).unwrap_or(u8::MAX);
    Resource::Hashes { level, index, width: width_at(hashes, index) }
}

/// The bundle as it is in a tree of `size` entries.
pub fn entry_bundle(size: u64, index: u64) -> Resource {
    Resource::Entries { index, width: width_at(size, index) }
}

/// Why a tile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TileError {
    /// The tile is not what its path says.
    #[error("`{resource}` is malformed")]
    Malformed {
        /// The tile.
        resource: Resource,
    },
    /// There is no such tile.
    #[error("`{resource}` is missing")]
    Missing {
        /// The tile.
        resource: Resource,
    },
    /// The storage failed.
    #[error("tile cannot be read")]
    Store(#[from] StoreError),
}

fn width_at(count: u64, index: u64) -> u16 {
    let before = index.saturating_mul(u64::from(WIDTH));
    u16::try_from(count.saturating_sub(before)).unwrap_or(WIDTH).clamp(1, WIDTH)
}

fn read_either<R: ReadTiles + ?Sized>(
    reader: &R,
    resource: Resource,
) -> Result<(Vec<u8>, Resource), TileError> {
    for candidate in [resource, resource.full()] {
        if let Some(bytes) = reader.read(&candidate)? {
            if candidate.bytes_max() < bytes.len() {
                return Err(TileError::Malformed { resource: candidate });
            }
            return Ok((bytes, candidate));
        }
    }
    Err(TileError::Missing { resource })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_read_back_what_they_hold() {
        let long = vec![7; ENTRY_BYTES_MAX];
        let mut bundle = Vec::new();
        for entry in [b"".as_slice(), b"one", &long] {
            encode_entry(&mut bundle, entry).unwrap();
        }
        assert_eq!(decode_entries(&bundle).unwrap(), [b"".as_slice(), b"one", &long]);
        assert!(encode_entry(&mut bundle, &vec![0; ENTRY_BYTES_MAX + 1]).is_none());
        for bytes in [&[0][..], &[0, 2, 1], &[0; 2 * 257]] {
            assert!(decode_entries(bytes).is_none(), "{} bytes", bytes.len());
        }
    }

    #[test]
    fn a_tree_of_70_000_has_the_tiles_of_the_source() {
        let path = |level, index| hash_tile(70_000, level, index).to_string();
        assert_eq!(path(0, 272), "tile/0/272");
        assert_eq!(path(0, 273), "tile/0/273.p/112");
        assert_eq!(path(1, 0), "tile/1/000");
        assert_eq!(path(1, 1), "tile/1/001.p/17");
        assert_eq!(path(2, 0), "tile/2/000.p/1");
        assert_eq!(entry_bundle(256, 0).to_string(), "tile/entries/000");
        assert_eq!(hash_tile(256, 1, 0).to_string(), "tile/1/000.p/1");
    }
}
