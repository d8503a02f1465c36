//! Reads logs from files, folders and streams, packed or not, in bounded memory.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use countersign_model::time::Timestamp;
use flate2::bufread::MultiGzDecoder;

use super::frame::{Block, blocks};
use super::record::Record;
use crate::source::stream::FromUtf16;

/// The files of a log, and what beside them was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// What is read, the oldest first.
    pub read: Vec<PathBuf>,
    /// What is no log: hidden files, links to folders, sockets and pipes in a folder.
    pub skipped: Vec<PathBuf>,
}

/// How deep folders are read, and how many files.
const DEPTH_MAX: usize = 32;
const FILES_MAX: usize = 100_000;
/// How deep packing is undone.
const PACKED_MAX: usize = 4;
/// How many records are looked at to learn when a file begins.
const PEEKED_RECORDS: usize = 20;

impl Files {
    /// Finds the files: a folder stands for all files below it.
    pub fn find<'a>(paths: impl IntoIterator<Item = &'a Path>) -> io::Result<Self> {
        let mut found = Self::default();
        for path in paths {
            if path.is_dir() {
                found.walk(path, 0)?;
            } else if !path.exists() && is_pattern(path) {
                found.matching(path)?;
            } else {
                found.read.push(path.to_owned());
            }
        }
        // Rotated files are named newest first as often as oldest first: what they hold decides.
        found.read.sort_by_cached_key(|it| {
            let begins = begins(it);
            (begins.is_none(), begins, it.clone())
        });
        found.read.dedup();
        Ok(found)
    }

    /// A pattern stands for the files of its folder whose names it matches: `log/*.gz`.
    fn matching(&mut self, pattern: &Path) -> io::Result<()> {
        let folder = pattern.parent().filter(|it| !it.as_os_str().is_empty());
        let name = pattern.file_name().map(|it| it.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let mut entries =
            std::fs::read_dir(folder.unwrap_or(Path::new(".")))?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        entries.retain(|it| matches(name.as_bytes(), it.file_name().as_encoded_bytes()));
        if entries.is_empty() {
            let missing = format!("no file matches {}", pattern.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, missing));
        }
        for entry in entries {
            let path =
                folder.map_or_else(|| entry.file_name().into(), |it| it.join(entry.file_name()));
            if path.is_dir() { self.walk(&path, 0)? } else { self.read.push(path) }
        }
        Ok(())
    }

    fn walk(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type()?);
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if is_hidden {
                self.skipped.push(path);
            } else if kind.is_dir() && depth < DEPTH_MAX {
                self.walk(&path, depth + 1)?;
            } else if kind.is_file() || kind.is_symlink() && path.is_file() {
                self.read.push(path);
            } else {
                self.skipped.push(path);
            }
            if FILES_MAX <= self.read.len() + self.skipped.len() {
                return Err(io::Error::other(format!("more than {FILES_MAX} files")));
            }
        }
        Ok(())
    }
}

/// Whether a name that is no file's stands for several.
fn is_pattern(path: &Path) -> bool {
    path.file_name().is_some_and(|it| memchr::memchr2(b'*', b'?', it.as_encoded_bytes()).is_some())
}

/// Whether a name matches: `*` stands for any bytes, `?` for any one. It takes no more steps than one for each
/// pair of bytes, however many stars there are.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(seen) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(own) if *own == b'?' || own == byte => (at, seen) = (at + 1, seen + 1),
            _ => match star {
                Some((back, from)) => {
                    star = Some((back, from + 1));
                    (at, seen) = (back + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|it| *it == b'*')
}

/// When the first record that tells a time happened.
fn begins(path: &Path) -> Option<Timestamp> {
    let mut left = PEEKED_RECORDS;
    let mut found = None;
    let each = &mut |block: Block| {
        block.records(|_, record| {
            found = Record::parse(record.trim_ascii()).ok().and_then(|it| it.time);
            left -= 1;
            found.is_none() && 0 < left
        })
    };
    let _damaged = unpacked(&mut File::open(path).ok()?, 0, each);
    found
}

/// Hands on the blocks of a stream, until somebody has enough, whatever it is packed in.
pub(super) fn unpacked(
    reader: &mut dyn Read,
    depth: usize,
    each: &mut dyn FnMut(Block) -> bool,
) -> io::Result<()> {
    let mut head = Vec::new();
    (&mut *reader).take(6).read_to_end(&mut head)?;
    let kind = kind(&head);
    let mark = match kind {
        Kind::Text if head.starts_with(b"\xef\xbb\xbf") => 3,
        // The mark is a part of the text and no part of the first line.
        Kind::Utf16 { .. } => 2,
        _ => 0,
    };
    let rest = head.get(mark..).unwrap_or_default().to_vec();
    let mut reader = Cursor::new(rest).chain(reader);
    if kind != Kind::Text && depth == PACKED_MAX {
        return Err(io::Error::other(format!("it is packed more than {PACKED_MAX} times")));
    }
    match kind {
        Kind::Gzip => {
            let mut inner = MultiGzDecoder::new(BufReader::with_capacity(PACKED_BYTES, reader));
            unpacked(&mut inner, depth + 1, each)
        }
        Kind::Zstd => {
            let mut inner = zstd::stream::read::Decoder::with_buffer(BufReader::new(reader))?;
            inner.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            unpacked(&mut inner, depth + 1, each)
        }
        Kind::Utf16 { big_endian } => {
            let mut inner = FromUtf16::new(&mut reader, big_endian);
            unpacked(&mut inner, depth + 1, each)
        }
        Kind::Other(name) => Err(io::Error::other(format!("it is packed as {name}"))),
        Kind::Text => blocks(&mut reader, each),
    }
}

/// How much of something packed is read at once.
const PACKED_BYTES: usize = 64 * 1024;
/// A window of 64 MiB: what asks for more is refused, not given memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 26;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gzip,
    Other(&'static str),
    Text,
    Utf16 { big_endian: bool },
    Zstd,
}

fn kind(head: &[u8]) -> Kind {
    match head {
        [0x1f, 0x8b, ..] => Kind::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Kind::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Kind::Other("xz"),
        [b'B', b'Z', b'h', ..] => Kind::Other("bzip2"),
        [b'P', b'K', 3, 4, ..] => Kind::Other("zip"),
        _ => {
            FromUtf16::big_endian(head).map_or(Kind::Text, |big_endian| Kind::Utf16 { big_endian })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn text(bytes: &[u8]) -> (Vec<String>, Option<String>) {
        let mut seen = Vec::new();
        let each = &mut |block: Block| {
            block.records(|_, it| {
                seen.push(String::from_utf8_lossy(it.trim_ascii()).into_owned());
                true
            })
        };
        let error = unpacked(&mut &bytes[..], 0, each).err();
        (seen, error.map(|it| it.to_string()))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn lines_are_the_same_however_they_are_packed() {
        let plain = b"{\"a\":1}\r\n\r\n{\"b\":2}".to_vec();
        let expected = vec!["{\"a\":1}".to_owned(), String::new(), "{\"b\":2}".to_owned()];
        let utf16: Vec<u8> = "\u{feff}{\"a\":1}\r\n\r\n{\"b\":2}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let marked = [b"\xef\xbb\xbf".as_slice(), &plain].concat();
        let twice = [gzip(b"{\"a\":1}\n\n"), gzip(b"{\"b\":2}")].concat();
        let zstd = zstd::encode_all(plain.as_slice(), 1).unwrap();
        for bytes in [plain.clone(), marked, utf16, gzip(&plain), gzip(&gzip(&plain)), twice, zstd]
        {
            assert_eq!(text(&bytes), (expected.clone(), None));
        }
        assert_eq!(text(b""), (Vec::new(), None));
        assert_eq!(text(b"{"), (vec!["{".to_owned()], None));
    }

    #[test]
    fn damage_is_an_error_and_what_came_before_counts() {
        let many: Vec<String> = (0..20_000).map(|it| format!("{{\"n\":{it}}}")).collect();
        let packed = gzip(many.join("\n").as_bytes());
        let (seen, error) = text(&packed[..packed.len() / 2]);
        assert!(100 < seen.len() && error.is_some(), "{} {error:?}", seen.len());
        assert!(text(b"BZh91AY").1.unwrap().contains("bzip2"));
        let mut deep = b"{}".to_vec();
        for _ in 0..6 {
            deep = gzip(&deep);
        }
        assert!(text(&deep).1.unwrap().contains("packed more than 4 times"));
    }

    #[test]
    fn a_folder_is_read_oldest_first() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(name), bytes).unwrap();
        };
        write("log", b"{\"time\":\"2026-11-24T03:00:00Z\"}\n");
        write("log.1.gz", &gzip(b"{\"time\":\"2026-11-24T02:00:00Z\"}\n"));
        write("old/log.2", b"rubbish\n{\"time\":\"2026-11-24T01:00:00Z\"}\n");
        write("unknown", b"rubbish");
        write(".hidden", b"");
        let files = Files::find([folder.path()]).unwrap();
        let names = |it: &[PathBuf]| {
            let short = it.iter().map(|it| it.strip_prefix(folder.path()).unwrap());
            short.map(|it| it.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&files.read), ["old/log.2", "log.1.gz", "log", "unknown"]);
        assert_eq!(names(&files.skipped), [".hidden"]);
        assert!(Files::find([Path::new("/no/such/folder")]).unwrap().read.len() == 1);
        let files = Files::find([folder.path().join("log*").as_path()]).unwrap();
        assert_eq!(names(&files.read), ["log.1.gz", "log"]);
        assert!(Files::find([folder.path().join("*.zst").as_path()]).is_err());
    }

    #[test]
    fn a_pattern_matches_names() {
        let table = [
            ("*.gz", "a.gz", true),
            ("*.gz", "a.gz.1", false),
            ("a*b*c", "aXbYbZc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("**", "x", true),
            ("", "x", false),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
