//! The paths under which a log is published.
//!
//! Source: c2sp.org/tlog-tiles, "Merkle Tree" and "Log entries".

use std::fmt;
use std::str::FromStr;

use crate::encoding::decimal;

/// How many hashes or entries a full tile holds.
pub const WIDTH: u16 = 256;

/// One file of a published log. Its path has no way out of the log's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// `checkpoint`: the latest signed tree head.
    Checkpoint,
    /// `tile/entries/<N>[.p/<W>]`: entries.
    Entries {
        /// Which tile.
        index: u64,
        /// How many entries: 1 to 256.
        width: u16,
    },
    /// `tile/<L>/<N>[.p/<W>]`: hashes.
    Hashes {
        /// How far above the entries, in steps of 256: 0 to 7.
        level: u8,
        /// Which tile of the level.
        index: u64,
        /// How many hashes: 1 to 256.
        width: u16,
    },
}

impl Resource {
    /// The same tile once it is full.
    pub fn full(self) -> Self {
        match self {
            Self::Checkpoint => self,
            Self::Entries { index, .. } => Self::Entries { index, width: WIDTH },
            Self::Hashes { level, index, .. } => Self::Hashes { level, index, width: WIDTH },
        }
    }

    /// How many hashes or entries it holds; none for the checkpoint.
    pub fn width(self) -> u16 {
        match self {
            Self::Checkpoint => 0,
            Self::Entries { width, .. } | Self::Hashes { width, .. } => width,
        }
    }

    /// The most bytes that it can have.
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Checkpoint => 64 * 1024,
            Self::Entries { width, .. } => usize::from(width) * (2 + 65_535),
            Self::Hashes { width, .. } => usize::from(width) * 32,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, width) = match self {
            Self::Checkpoint => return formatter.write_str("checkpoint"),
            Self::Entries { index, width } => {
                formatter.write_str("tile/entries/")?;
                (*index, *width)
            }
            Self::Hashes { level, index, width } => {
                write!(formatter, "tile/{level}/")?;
                (*index, *width)
            }
        };
        let mut groups = vec![index % 1000];
        let mut rest = index / 1000;
        while rest != 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups[1..].iter().rev() {
            write!(formatter, "x{group:03}/")?;
        }
        write!(formatter, "{:03}", groups[0])?;
        if width == WIDTH { Ok(()) } else { write!(formatter, ".p/{width}") }
    }
}

impl FromStr for Resource {
    type Err = InvalidResource;

    fn from_str(text: &str) -> Result<Self, InvalidResource> {
        if text == "checkpoint" {
            return Ok(Self::Checkpoint);
        }
        let resource = parse(text).ok_or(InvalidResource)?;
        // Only the one spelling that we would write, which is the one that the source allows.
        if resource.to_string() == text { Ok(resource) } else { Err(InvalidResource) }
    }
}

/// A path that no log publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a checkpoint or a tile")]
pub struct InvalidResource;

fn parse(text: &str) -> Option<Resource> {
    let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
    let (index, width) = match rest.split_once(".p/") {
        None => (rest, WIDTH),
        Some((index, width)) => (index, u16::try_from(decimal(width)?).ok()?),
    };
    if !(1..=WIDTH).contains(&width) || PATH_BYTES_MAX < index.len() {
        return None;
    }
    let index = index.split('/').try_fold(0_u64, |index, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        index.checked_mul(1000)?.checked_add(digits.parse().ok()?)
    })?;
    if kind == "entries" {
        return Some(Resource::Entries { index, width });
    }
    let level = u8::try_from(decimal(kind)?).ok().filter(|level| *level < LEVELS)?;
    Some(Resource::Hashes { level, index, width })
}

/// A tree of 2^64 entries has eight levels of tiles.
const LEVELS: u8 = 8;
const PATH_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_source() {
        let table = [
            (Resource::Checkpoint, "checkpoint"),
            (Resource::Hashes { level: 0, index: 0, width: 256 }, "tile/0/000"),
            (Resource::Hashes { level: 1, index: 1_234_067, width: 256 }, "tile/1/x001/x234/067"),
            (Resource::Hashes { level: 0, index: 273, width: 112 }, "tile/0/273.p/112"),
            (Resource::Entries { index: 1000, width: 1 }, "tile/entries/x001/000.p/1"),
            (
                Resource::Entries { index: u64::MAX, width: 256 },
                "tile/entries/x018/x446/x744/x073/x709/x551/615",
            ),
        ];
        for (resource, path) in table {
            assert_eq!(resource.to_string(), path);
            assert_eq!(path.parse(), Ok(resource), "{path}");
        }
    }

    #[test]
    fn other_paths_are_refused() {
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/0000",
            "tile/8/000",
            "tile/00/000",
            "tile/0/x000",
            "tile/0/x000/000",
            "tile/0/001/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/../000",
            "tile/0/000/",
            "/tile/0/000",
            "tile/-1/000",
            "tile/0/+01",
            "tile/entries/x999/x999/x999/x999/x999/x999/x999/999",
            "checkpoint/",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
        ] {
            assert_eq!(path.parse::<Resource>(), Err(InvalidResource), "{path}");
        }
    }
}
