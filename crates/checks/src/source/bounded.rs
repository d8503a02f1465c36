use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use super::report::Reason;

/// Why a reader of ours stopped; travels inside an [`io::Error`] through decoders that know nothing of it.
#[derive(Debug)]
struct Stop(Reason);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Stop {}

pub(super) fn stop(reason: Reason) -> io::Error {
    io::Error::other(Stop(reason))
}

/// Why reading failed: our own limit, a damaged archive around it, or the operating system.
pub(super) fn reason_of(error: &io::Error, archive_depth: usize) -> Reason {
    let stop = error.get_ref().and_then(|it| it.downcast_ref::<Stop>());
    match stop {
        Some(Stop(reason)) => *reason,
        None if 0 < archive_depth => Reason::Damaged,
        None => Reason::Unreadable,
    }
}

/// Refuses to go on after so many bytes.
pub(super) struct Capped<'a> {
    inner: &'a mut dyn Read,
    left: u64,
    beyond: Reason,
}

impl<'a> Capped<'a> {
    pub(super) fn new(inner: &'a mut dyn Read, file_bytes_max: u64, total_left: u64) -> Self {
        let is_file = file_bytes_max <= total_left;
        let beyond = if is_file { Reason::TooLarge } else { Reason::TooManyBytes };
        Self { inner, left: file_bytes_max.min(total_left), beyond }
    }
}

impl Read for Capped<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !out.is_empty() {
            let more = self.inner.read(&mut [0])?;
            return if more == 0 { Ok(0) } else { Err(stop(self.beyond)) };
        }
        let wanted = usize::try_from(self.left).map_or(out.len(), |it| it.min(out.len()));
        let count = self.inner.read(out.get_mut(..wanted).unwrap_or_default())?;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

/// Counts what is read, for whoever holds the other end of the counter.
pub(super) struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    pub(super) fn new(inner: R, count: Rc<Cell<u64>>) -> Self {
        Self { inner, count }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.count.set(self.count.get().saturating_add(count as u64));
        Ok(count)
    }
}

/// Refuses to expand further than an honest archive would.
pub(super) struct Expanding<R> {
    pub(super) inner: R,
    /// What went into the decoder.
    pub(super) from: Rc<Cell<u64>>,
    /// What came out of it.
    pub(super) to: Rc<Cell<u64>>,
    /// What came out of every decoder of the scan.
    pub(super) expanded: Rc<Cell<u64>>,
    pub(super) ratio_max: u64,
    pub(super) expanded_max: u64,
}

/// Small things may be as repetitive as they like.
const FREE_BYTES: u64 = 4 << 20;

impl<R: Read> Read for Expanding<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)? as u64;
        self.to.set(self.to.get().saturating_add(count));
        self.expanded.set(self.expanded.get().saturating_add(count));
        let allowed = self.from.get().saturating_mul(self.ratio_max).saturating_add(FREE_BYTES);
        if allowed < self.to.get() {
            return Err(stop(Reason::ExpandsTooFar));
        }
        if self.expanded_max < self.expanded.get() {
            return Err(stop(Reason::TooManyBytes));
        }
        usize::try_from(count).map_err(io::Error::other)
    }
}
