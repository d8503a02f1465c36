//! A copy of a server's published log in a folder, so that it can be verified offline.

use std::path::Path;

use countersign_ledger::Resource;

use crate::client::Client;
use crate::exit::Exit;
use crate::failure::Failure;

/// How many tiles are fetched at most: more than sixteen million entries.
const TILES_MAX: u64 = 1 << 17;
/// How many hashes or entries a full tile holds.
const WIDTH: u64 = 256;

/// Fetches the checkpoint and every tile under it, and says how many entries it speaks of.
///
/// Nothing is believed here: whoever verifies the folder finds what does not fit.
pub(crate) async fn copy(client: &Client, folder: &Path) -> Result<u64, Failure> {
    let checkpoint = client.bytes("/v1/log/checkpoint").await?;
    let size = size(&checkpoint)
        .ok_or_else(|| Failure::new(Exit::Integrity, "the server's checkpoint cannot be read"))?;
    let tiles = resources(size).ok_or_else(|| {
        Failure::new(Exit::Integrity, format!("the server's log claims {size} entries"))
    })?;
    for tile in tiles {
        let name = tile.to_string();
        let bytes = client.bytes(&format!("/v1/log/{name}")).await?;
        write(&folder.join(&name), &bytes)?;
    }
    write(&folder.join("checkpoint"), &checkpoint)?;
    Ok(size)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, bytes)).map_err(|it| Failure::file("write", path, &it))
}

/// The second line of a checkpoint (c2sp.org/tlog-checkpoint).
fn size(checkpoint: &[u8]) -> Option<u64> {
    std::str::from_utf8(checkpoint).ok()?.lines().nth(1)?.parse().ok()
}

/// Every tile that a log of this size publishes; none where that is more than anybody fetches.
fn resources(size: u64) -> Option<Vec<Resource>> {
    let mut all: Vec<Resource> = row(size, |index, width| Resource::Entries { index, width })?;
    let (mut level, mut count) = (0_u8, size);
    while 0 < count {
        all.extend(row(count, |index, width| Resource::Hashes { level, index, width })?);
        count /= WIDTH;
        level += 1;
    }
    Some(all)
}

/// The full tiles of one row, and the partial one at its end.
fn row(count: u64, tile: impl Fn(u64, u16) -> Resource) -> Option<Vec<Resource>> {
    let full = count / WIDTH;
    if TILES_MAX < full {
        return None;
    }
    let widths = (0..full).map(|it| (it, 256));
    let rest = u16::try_from(count % WIDTH).ok().filter(|it| 0 < *it);
    Some(widths.chain(rest.map(|it| (full, it))).map(|(index, width)| tile(index, width)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tile_of_a_log_is_named_once() {
        let names = |size| {
            let all = resources(size).unwrap();
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(0), "");
        assert_eq!(names(3), "tile/entries/000.p/3 tile/0/000.p/3");
        assert_eq!(
            names(512),
            "tile/entries/000 tile/entries/001 tile/0/000 tile/0/001 tile/1/000.p/2"
        );
        assert_eq!(resources(u64::MAX), None);
        assert_eq!(size(b"origin\n12\nroot\n"), Some(12));
        assert_eq!(size(b"origin"), None);
    }
}
