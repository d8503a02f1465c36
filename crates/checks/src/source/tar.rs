use std::io::{self, Read};

use super::bounded::reason_of;
use super::report::Reason;
use super::session::{Session, Source, printable};

const BLOCK: usize = 512;
/// Long names and extended headers; more is not an honest archive.
const META_BYTES_MAX: u64 = 1 << 20;

/// Whether a block is the header of a tar member.
pub(super) fn is_header(block: &[u8]) -> bool {
    block.get(257..262) == Some(b"ustar") && block.len() == BLOCK && has_right_sum(block)
}

/// Scans the members of a tar stream; `inside` is named as the archive.
pub(super) fn open(
    session: &mut Session<'_>,
    inside: Source<'_>,
    reader: &mut dyn Read,
) -> io::Result<()> {
    let mut given = Given::default();
    while let Some(block) = next_header(reader)? {
        let kind = block.get(156).copied().unwrap_or(b'0');
        let size = number(block.get(124..136).unwrap_or_default())?;
        match kind {
            b'L' => given.name = Some(until_nul(&meta(reader, size)?)),
            b'x' => given.read_extended(&meta(reader, size)?),
            b'K' | b'g' => drop(meta(reader, size)?),
            _ => {
                let given = std::mem::take(&mut given);
                let name = given.name.unwrap_or_else(|| name_of(&block));
                let name = format!("{}!{}", inside.name, printable(&name));
                member(
                    session,
                    Source { name: &name, ..inside },
                    &block,
                    given.size.unwrap_or(size),
                    reader,
                )?;
            }
        }
    }
    // What follows the end is read too, so that a checksum around it is verified.
    io::copy(reader, &mut io::sink()).map(drop)
}

/// What headers before a member's own say of it.
#[derive(Debug, Default)]
struct Given {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Given {
    /// Reads the lines `<length> <key>=<value>` of an extended header.
    fn read_extended(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(space) = rest.iter().position(|it| *it == b' ') {
            let length = std::str::from_utf8(rest.get(..space).unwrap_or_default())
                .ok()
                .and_then(|it| it.parse::<usize>().ok())
                .filter(|it| space < *it && *it <= rest.len());
            let Some(length) = length else { return };
            let line = rest.get(space + 1..length - 1).unwrap_or_default();
            if let Some(path) = line.strip_prefix(b"path=") {
                self.name = Some(path.to_vec());
            }
            if let Some(size) = line.strip_prefix(b"size=") {
                self.size = std::str::from_utf8(size).ok().and_then(|it| it.parse().ok());
            }
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

fn member(
    session: &mut Session<'_>,
    source: Source<'_>,
    block: &[u8; BLOCK],
    size: u64,
    reader: &mut dyn Read,
) -> io::Result<()> {
    match block.get(156) {
        Some(b'0' | b'7' | 0) => {
            let mut content = Content { inner: reader, left: size, failed: None };
            session.open(source, &mut content);
            content.finish(size)
        }
        Some(b'S') => {
            let mut more = block.get(482).is_some_and(|it| *it != 0);
            while more {
                let mut extension = [0; BLOCK];
                reader.read_exact(&mut extension)?;
                more = extension.get(504).is_some_and(|it| *it != 0);
            }
            session.leave_out(source.name, Reason::UnsupportedArchive);
            skip(reader, padded(size))
        }
        Some(b'1' | b'2') => {
            session.leave_out(source.name, Reason::SymbolicLink);
            skip(reader, padded(size))
        }
        Some(b'3' | b'4' | b'6') => {
            session.leave_out(source.name, Reason::SpecialFile);
            skip(reader, padded(size))
        }
        Some(b'5') => skip(reader, padded(size)),
        _ => {
            session.leave_out(source.name, Reason::UnsupportedArchive);
            skip(reader, padded(size))
        }
    }
}

/// The bytes of one member; an archive that ends inside them is an error.
struct Content<'a> {
    inner: &'a mut dyn Read,
    left: u64,
    failed: Option<Reason>,
}

impl Content<'_> {
    /// Goes to the end of the member, or fails as reading it failed.
    fn finish(mut self, size: u64) -> io::Result<()> {
        if let Some(reason) = self.failed {
            return Err(super::bounded::stop(reason));
        }
        let left = std::mem::take(&mut self.left);
        skip(self.inner, left + padded(size) - size)
    }
}

impl Read for Content<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).map_or(out.len(), |it| it.min(out.len()));
        if wanted == 0 {
            return Ok(0);
        }
        let result = self.inner.read(out.get_mut(..wanted).unwrap_or_default());
        let result = match result {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            other => other,
        };
        match &result {
            Ok(count) => self.left -= *count as u64,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.failed = Some(reason_of(error, 1));
            }
            Err(_) => {}
        }
        result
    }
}

fn next_header(reader: &mut dyn Read) -> io::Result<Option<[u8; BLOCK]>> {
    let mut block = Vec::with_capacity(BLOCK);
    (&mut *reader).take(BLOCK as u64).read_to_end(&mut block)?;
    let Ok(block) = <[u8; BLOCK]>::try_from(block.as_slice()) else {
        let is_end = block.iter().all(|it| *it == 0);
        return if is_end { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
    };
    if block.iter().all(|it| *it == 0) {
        return Ok(None);
    }
    if has_right_sum(&block) {
        Ok(Some(block))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "a tar header fails its checksum"))
    }
}

fn has_right_sum(block: &[u8]) -> bool {
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, it)| if (148..156).contains(&at) { 32 } else { u64::from(*it) })
        .sum();
    number(block.get(148..156).unwrap_or_default()).is_ok_and(|it| it == sum)
}

/// A number in octal digits, or in base 256 if its first bit is set.
fn number(field: &[u8]) -> io::Result<u64> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "a tar header holds no number");
    if field.first().is_some_and(|it| it & 0x80 != 0) {
        let (high, low) = field.split_at(field.len().saturating_sub(8));
        let is_small = high.iter().skip(1).all(|it| *it == 0) && high.first() == Some(&0x80);
        let value = low.iter().fold(0, |sum: u64, it| sum << 8 | u64::from(*it));
        return if is_small && value < 1 << 60 { Ok(value) } else { Err(invalid()) };
    }
    let mut digits =
        field.iter().skip_while(|it| **it == b' ').take_while(|it| !b" \0".contains(it));
    digits.try_fold(0_u64, |sum, it| match it {
        b'0'..=b'7' if sum < 1 << 57 => Ok(sum * 8 + u64::from(it - b'0')),
        _ => Err(invalid()),
    })
}

fn name_of(block: &[u8; BLOCK]) -> Vec<u8> {
    let name = until_nul(block.get(..100).unwrap_or_default());
    let prefix = match block.get(257..263) {
        Some(b"ustar\0") => until_nul(block.get(345..500).unwrap_or_default()),
        _ => Vec::new(),
    };
    if prefix.is_empty() { name } else { [prefix, name].join(&b'/') }
}

fn until_nul(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().take_while(|it| *it != 0).collect()
}

fn meta(reader: &mut dyn Read, size: u64) -> io::Result<Vec<u8>> {
    if META_BYTES_MAX < size {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a tar header is too long"));
    }
    let mut bytes = Vec::new();
    (&mut *reader).take(size).read_to_end(&mut bytes)?;
    skip(reader, padded(size) - bytes.len() as u64)?;
    Ok(bytes)
}

fn padded(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64)
}

fn skip(reader: &mut dyn Read, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut (&mut *reader).take(count), &mut io::sink())?;
    if skipped == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
