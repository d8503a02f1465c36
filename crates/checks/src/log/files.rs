//! Reads logs from files, folders and streams, packed or not, in bounded memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};

use countersign_model::time::Timestamp;
use flate2::bufread::MultiGzDecoder;

use super::judge::Judge;
use super::record::{LINE_BYTES_MAX, Record};
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
/// How many lines are looked at to learn when a file begins.
const PEEKED_LINES: usize = 20;

impl Files {
    /// Finds the files: a folder stands for all files below it.
    pub fn find<'a>(paths: impl IntoIterator<Item = &'a Path>) -> io::Result<Self> {
        let mut found = Self::default();
        for path in paths {
            if path.is_dir() {
                found.walk(path, 0)?;
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

/// Takes in every line of a file. What cannot be unpacked is counted and located; what cannot be opened is an error.
pub fn read_file(path: &Path, judge: &mut Judge<'_>) -> io::Result<()> {
    let file = File::open(path)?;
    read_stream(&path.display().to_string(), &mut BufReader::new(file), judge);
    Ok(())
}

/// Takes in every line of a stream, under this name. What cannot be read is counted and located.
pub fn read_stream(name: &str, reader: &mut dyn BufRead, judge: &mut Judge<'_>) {
    judge.source(name);
    let each = &mut |line: &[u8]| {
        judge.line(line);
        true
    };
    if let Err(error) = unpacked(reader, 0, each) {
        judge.unreadable(&error.to_string());
    }
}

/// When the first line that tells a time happened.
fn begins(path: &Path) -> Option<Timestamp> {
    let mut left = PEEKED_LINES;
    let mut found = None;
    let each = &mut |line: &[u8]| {
        found = Record::parse(line.trim_ascii()).ok().and_then(|it| it.time);
        left -= 1;
        found.is_none() && 0 < left
    };
    let _damaged = unpacked(&mut BufReader::new(File::open(path).ok()?), 0, each);
    found
}

/// What is given each line, and says whether it wants more.
type Each<'a> = &'a mut dyn FnMut(&[u8]) -> bool;

fn unpacked(reader: &mut dyn BufRead, depth: usize, each: Each<'_>) -> io::Result<()> {
    let mut head = Vec::new();
    (&mut *reader).take(6).read_to_end(&mut head)?;
    let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let kind = kind(&head);
    let rest = head.get(mark..).unwrap_or_default().to_vec();
    let mut reader = Cursor::new(rest).chain(reader);
    if kind != Kind::Text && depth == PACKED_MAX {
        return Err(io::Error::other(format!("it is packed more than {PACKED_MAX} times")));
    }
    match kind {
        Kind::Gzip => {
            let inner = MultiGzDecoder::new(reader);
            unpacked(&mut BufReader::new(inner), depth + 1, each)
        }
        Kind::Zstd => {
            let inner = zstd::stream::read::Decoder::with_buffer(reader)?;
            unpacked(&mut BufReader::new(inner), depth + 1, each)
        }
        Kind::Utf16 { big_endian } => {
            // The mark is a part of the text and no part of the first line.
            let mut marked = reader;
            marked.consume(2);
            let inner = FromUtf16::new(&mut marked, big_endian);
            unpacked(&mut BufReader::new(inner), depth + 1, each)
        }
        Kind::Other(name) => Err(io::Error::other(format!("it is packed as {name}"))),
        Kind::Text => lines(&mut reader, each),
    }
}

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

/// Hands on each line without its end; what is longer than a line may be is cut behind the limit.
fn lines(reader: &mut dyn BufRead, each: Each<'_>) -> io::Result<()> {
    let limit = LINE_BYTES_MAX as u64 + 2;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut *reader).take(limit).read_until(b'\n', &mut line);
        if matches!(read, Ok(0)) {
            return Ok(());
        }
        // What came before the damage is a line as well, cut or not.
        let wants_more = line.is_empty() || each(line.trim_ascii_end());
        read?;
        if !wants_more {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && limit <= line.len() as u64 {
            skip_line(reader)?;
        }
    }
}

fn skip_line(reader: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (used, done) = match memchr::memchr(b'\n', buffer) {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        reader.consume(used);
        if done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn text(bytes: &[u8]) -> (Vec<String>, Option<String>) {
        let mut seen = Vec::new();
        let each = &mut |line: &[u8]| {
            seen.push(String::from_utf8_lossy(line).into_owned());
            true
        };
        let error = unpacked(&mut BufReader::new(bytes), 0, each).err();
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
    fn a_line_without_an_end_costs_no_memory() {
        let long = vec![b'x'; LINE_BYTES_MAX * 3];
        let bytes = [long.as_slice(), b"\n{}\n"].concat();
        let (seen, error) = text(&gzip(&bytes));
        let lengths: Vec<usize> = seen.iter().map(String::len).collect();
        assert_eq!((lengths, error), (vec![LINE_BYTES_MAX + 2, 2], None));
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
    }
}
