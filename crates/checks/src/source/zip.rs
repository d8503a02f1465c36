use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::archive::expanding;
use super::bounded::{Counted, reason_of};
use super::report::Reason;
use super::session::{Session, Source, open_bytes, printable};

/// Scans the members of a zip file; `inside` is named as the archive.
///
/// What cannot be read as a zip file is scanned as it is, and named as damaged.
pub(super) fn open(session: &mut Session<'_>, inside: Source<'_>, reader: &mut dyn Read) {
    let limit = session.scanner.limits.zip_bytes_max;
    let mut bytes = Vec::new();
    if let Err(error) = (&mut *reader).take(limit + 1).read_to_end(&mut bytes) {
        return session.leave_out(inside.name, reason_of(&error, inside.depth));
    }
    if limit < bytes.len() as u64 {
        return session.leave_out(inside.name, Reason::TooLarge);
    }
    let Some(members) = members(&bytes) else {
        session.leave_out(inside.name, Reason::Damaged);
        return session.read(inside, &mut bytes.as_slice());
    };
    // Members may share their bytes, so what goes in and comes out is counted over all of them.
    let to = Rc::new(Cell::new(0));
    let from = Rc::new(Cell::new(bytes.len() as u64));
    for member in members {
        let name = format!("{}!{}", inside.name, printable(member.name));
        let source = Source { name: &name, ..inside };
        let Some(data) = member.data(&bytes) else {
            session.leave_out(&name, Reason::Damaged);
            continue;
        };
        match (member.is_encrypted, member.method) {
            (true, _) => session.leave_out(&name, Reason::Encrypted),
            (false, 0) => open_bytes(session, source, data),
            (false, 8) => {
                let plain = DeflateDecoder::new(data);
                let expanding = expanding(session, plain, Rc::clone(&from), Rc::clone(&to));
                let count = Rc::new(Cell::new(0));
                let counted = Counted::new(expanding, Rc::clone(&count));
                let mut checked = Checked { inner: counted, sum: Crc::new() };
                session.open(source, &mut checked);
                if count.get() == member.size && checked.sum.sum() != member.sum {
                    session.leave_out(&name, Reason::Damaged);
                }
            }
            (false, _) => session.leave_out(&name, Reason::UnsupportedArchive),
        }
    }
}

/// Sums up what is read.
struct Checked<R> {
    inner: R,
    sum: Crc,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(out)?;
        self.sum.update(out.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// One file of a zip, as its directory has it.
struct Member<'a> {
    name: &'a [u8],
    is_encrypted: bool,
    method: u16,
    sum: u32,
    packed: usize,
    size: u64,
    offset: usize,
}

impl Member<'_> {
    fn data<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let header = bytes.get(self.offset..)?;
        if !header.starts_with(b"PK\x03\x04") {
            return None;
        }
        let start = 30 + usize::from(u16_at(header, 26)?) + usize::from(u16_at(header, 28)?);
        header.get(start..start.checked_add(self.packed)?)
    }
}

/// Whether a text ends as a zip file does, so that it holds members which were not opened.
pub(super) fn ends_as_zip(text: &[u8]) -> bool {
    let from = text.len().saturating_sub(END + usize::from(u16::MAX));
    let tail = text.get(from..).unwrap_or_default();
    let ends = |at: usize| {
        let comment = u16_at(tail.get(at..)?, 20)?;
        Some(at + END + usize::from(comment) == tail.len())
    };
    memchr::memmem::find_iter(tail, b"PK\x05\x06").any(|at| ends(at) == Some(true))
}

/// The end of the directory, without its comment.
const END: usize = 22;

/// The files in the directory at the end, if all of it can be read.
fn members(bytes: &[u8]) -> Option<Vec<Member<'_>>> {
    let from = bytes.len().saturating_sub(END + usize::from(u16::MAX));
    let tail = bytes.get(from..)?;
    let at = from + tail.windows(4).rposition(|it| it == b"PK\x05\x06")?;
    let end = bytes.get(at..)?;
    let (count, size) = (u16_at(end, 10)?, u32_at(end, 12)?);
    let offset = u32_at(end, 16)?;
    if count == u16::MAX || offset == u32::MAX {
        // The 64-bit form, which only archives beyond our limits need.
        return None;
    }
    // The directory ends where its end begins; a program in front of the archive moves all of it.
    let start = at.checked_sub(usize::try_from(size).ok()?)?;
    let moved = start.checked_sub(usize::try_from(offset).ok()?)?;
    let mut rest = bytes.get(start..at)?;
    let mut members = Vec::new();
    for _ in 0..count {
        if !rest.starts_with(b"PK\x01\x02") {
            return None;
        }
        let length = |at| u16_at(rest, at).map(usize::from);
        let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
        let member = Member {
            name: rest.get(46..46 + name)?,
            is_encrypted: u16_at(rest, 8)? & 1 == 1,
            method: u16_at(rest, 10)?,
            sum: u32_at(rest, 16)?,
            packed: usize::try_from(u32_at(rest, 20)?).ok()?,
            size: u64::from(u32_at(rest, 24)?),
            offset: usize::try_from(u32_at(rest, 42)?).ok()?.checked_add(moved)?,
        };
        rest = rest.get(46 + name + extra + comment..)?;
        if !member.name.ends_with(b"/") {
            members.push(member);
        }
    }
    Some(members)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes(field.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}
