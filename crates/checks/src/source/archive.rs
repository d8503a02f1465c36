//! Opens what a file may hold: gzip, zstd, tar and zip, in each other, within limits.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

use super::bounded::{Counted, Expanding, reason_of};
use super::report::Reason;
use super::session::{Session, Source};
use super::{tar, zip};

/// How many first bytes tell what a file is.
pub(super) const HEAD_BYTES: u64 = 512;

/// What a file is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gzip,
    Tar,
    /// Known, but not opened.
    Unsupported,
    Zip,
    Zstd,
}

impl Kind {
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        const UNSUPPORTED: [&[u8]; 6] = [
            b"BZh",
            b"7z\xbc\xaf\x27\x1c",
            b"Rar!\x1a\x07",
            b"\xfd7zXZ\0",
            b"\x04\x22\x4d\x18",
            b"!<arch>\ndebian",
        ];
        if head.starts_with(b"\x1f\x8b\x08") {
            return Some(Self::Gzip);
        }
        if head.starts_with(b"\x28\xb5\x2f\xfd") {
            return Some(Self::Zstd);
        }
        let is_behind_script =
            || head.starts_with(b"#!") && memchr::memmem::find(head, b"\nPK\x03\x04").is_some();
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") || is_behind_script()
        {
            return Some(Self::Zip);
        }
        if tar::is_header(head) {
            return Some(Self::Tar);
        }
        UNSUPPORTED.iter().any(|it| head.starts_with(it)).then_some(Self::Unsupported)
    }
}

/// Scans what is in an archive.
pub(super) fn open(
    session: &mut Session<'_>,
    source: Source<'_>,
    kind: Kind,
    reader: &mut dyn Read,
) {
    let inside = Source { depth: source.depth + 1, ..source };
    if session.scanner.limits.archive_depth_max < inside.depth {
        return session.leave_out(source.name, Reason::TooDeep);
    }
    match kind {
        Kind::Gzip => expand(session, inside, reader, |it| Ok(MultiGzDecoder::new(it))),
        Kind::Zstd => expand(session, inside, reader, zstd::stream::read::Decoder::new),
        Kind::Tar => {
            if let Err(error) = tar::open(session, inside, reader) {
                session.leave_out(source.name, reason_of(&error, inside.depth));
            }
        }
        Kind::Zip => zip::open(session, inside, reader),
        Kind::Unsupported => {
            session.leave_out(source.name, Reason::UnsupportedArchive);
            // What is stored in it without compression can still be read.
            session.read(source, reader);
        }
    }
}

fn expand<'r, D: Read + 'r>(
    session: &mut Session<'_>,
    inside: Source<'_>,
    reader: &'r mut dyn Read,
    decoder: impl FnOnce(Counted<&'r mut dyn Read>) -> io::Result<D>,
) {
    let from = Rc::new(Cell::new(0));
    match decoder(Counted::new(reader, Rc::clone(&from))) {
        Ok(inner) => {
            let mut expanding = expanding(session, inner, from, Rc::new(Cell::new(0)));
            session.open(inside, &mut expanding);
        }
        Err(error) => session.leave_out(inside.name, reason_of(&error, inside.depth)),
    }
}

/// A decoder's output, held to the limits of the scan.
pub(super) fn expanding<R: Read>(
    session: &Session<'_>,
    inner: R,
    from: Rc<Cell<u64>>,
    to: Rc<Cell<u64>>,
) -> Expanding<R> {
    let limits = &session.scanner.limits;
    Expanding {
        inner,
        from,
        to,
        expanded: Rc::clone(&session.expanded),
        ratio_max: limits.expansion_ratio_max,
        expanded_max: limits.total_bytes_max,
    }
}
