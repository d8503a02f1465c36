use std::io::{self, Read};
use std::ops::Range;

/// A piece of a stream, with enough on both sides that a secret on its edge is seen whole once.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    /// Secrets that start here belong to this piece; others to the one before or after.
    pub(super) own: Range<usize>,
    /// The line at the start of `bytes`, from 1.
    line: u64,
    /// How many bytes of that line came before.
    column: u64,
}

impl Piece<'_> {
    /// The line and column, both from 1, of a place in `bytes`.
    pub(super) fn place(&self, at: usize) -> (u64, u64) {
        let before = self.bytes.get(..at).unwrap_or(self.bytes);
        let lines = memchr::memchr_iter(b'\n', before).count() as u64;
        match memchr::memrchr(b'\n', before) {
            Some(newline) => (self.line + lines, (before.len() - newline) as u64),
            None => (self.line, self.column + before.len() as u64 + 1),
        }
    }
}

/// Bytes that a piece owns; its overlaps come on top.
const OWN: usize = 1 << 20;
/// Kept from the piece before: the longest name in front of a secret.
const BEHIND: usize = 4 << 10;
/// Read ahead: the longest secret and whatever a pattern wants behind it.
const AHEAD: usize = 48 << 10;

/// Reads a stream to its end and hands it on in pieces; returns how many bytes it had.
///
/// When reading fails, what was read before is handed on first.
pub(super) fn in_pieces(
    reader: &mut dyn Read,
    mut each: impl FnMut(&Piece<'_>),
) -> (u64, io::Result<()>) {
    let mut buffer: Vec<u8> = Vec::new();
    let (mut from, mut line, mut column, mut total) = (0, 1, 0, 0);
    loop {
        let wanted = (from + OWN + AHEAD).saturating_sub(buffer.len());
        let result = (&mut *reader).take(wanted as u64).read_to_end(&mut buffer);
        let is_last = buffer.len() < from + OWN + AHEAD;
        let to = if is_last { buffer.len() } else { from + OWN };
        total += (to - from) as u64;
        each(&Piece { bytes: &buffer, own: from..to, line, column });
        if is_last || result.is_err() {
            return (total, result.map(|_| ()));
        }
        let drop = to.saturating_sub(BEHIND);
        let dropped = buffer.get(..drop).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', dropped).count() as u64;
        column = match memchr::memrchr(b'\n', dropped) {
            Some(newline) => (drop - newline - 1) as u64,
            None => column + drop as u64,
        };
        buffer.drain(..drop);
        from = to - drop;
    }
}

/// Reads UTF-16 as UTF-8, so that patterns of bytes see letters.
pub(crate) struct FromUtf16<'a> {
    inner: &'a mut dyn Read,
    big_endian: bool,
    ready: Vec<u8>,
    given: usize,
    odd: Option<u8>,
    surrogate: Option<u16>,
}

impl<'a> FromUtf16<'a> {
    /// The order of a stream that starts with these bytes, if it is UTF-16 with its mark.
    pub(crate) fn big_endian(head: &[u8]) -> Option<bool> {
        match head {
            [0xff, 0xfe, 0, 0, ..] => None,
            [0xff, 0xfe, ..] => Some(false),
            [0xfe, 0xff, ..] => Some(true),
            _ => None,
        }
    }

    pub(crate) fn new(inner: &'a mut dyn Read, big_endian: bool) -> Self {
        Self { inner, big_endian, ready: Vec::new(), given: 0, odd: None, surrogate: None }
    }

    fn convert(&mut self, bytes: &[u8]) {
        let mut all = Vec::with_capacity(bytes.len() + 1);
        all.extend(self.odd.take());
        all.extend_from_slice(bytes);
        let pairs = all.chunks_exact(2);
        self.odd = pairs.remainder().first().copied();
        let units = pairs.map(|pair| {
            let pair = [pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)];
            if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        });
        let mut units: Vec<u16> = self.surrogate.take().into_iter().chain(units).collect();
        if units.last().is_some_and(|it| (0xd800..0xdc00).contains(it)) {
            self.surrogate = units.pop();
        }
        self.ready.clear();
        self.given = 0;
        for letter in char::decode_utf16(units) {
            let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.ready.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

impl Read for FromUtf16<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.ready.len() <= self.given {
            let mut bytes = [0; 8192];
            let count = self.inner.read(&mut bytes)?;
            if count == 0 {
                return Ok(0);
            }
            self.convert(bytes.get(..count).unwrap_or_default());
        }
        let rest = self.ready.get(self.given..).unwrap_or_default();
        let count = rest.len().min(out.len());
        for (to, from) in out.iter_mut().zip(rest) {
            *to = *from;
        }
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_belongs_to_one_piece_and_places_stay_right() {
        let mut text = Vec::new();
        for number in 0..300_000_u32 {
            text.extend_from_slice(format!("{number}\n").as_bytes());
        }
        let (mut owned, mut checked) = (0, 0);
        let (total, result) = in_pieces(&mut text.as_slice(), |piece| {
            owned += piece.own.len();
            let start = piece.own.start;
            let newline = memchr::memchr(b'\n', &piece.bytes[start..]).unwrap();
            let end = memchr::memchr(b'\n', &piece.bytes[start + newline + 1..]).unwrap();
            let number = &piece.bytes[start + newline + 1..start + newline + 1 + end];
            let (line, column) = piece.place(start + newline + 1);
            assert_eq!(std::str::from_utf8(number).unwrap(), (line - 1).to_string());
            assert_eq!(column, 1);
            checked += 1;
        });
        assert!(result.is_ok() && 1 < checked);
        assert_eq!((owned, total), (text.len(), text.len() as u64));
    }

    #[test]
    fn utf_16_is_read_as_utf_8() {
        let units: Vec<u8> = "clé: 🔑".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut text = String::new();
        FromUtf16::new(&mut units.as_slice(), false).read_to_string(&mut text).unwrap();
        assert_eq!(text, "clé: 🔑");
    }
}
