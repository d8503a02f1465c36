//! Cuts a stream into records: lines, or the objects of JSON that runs over many lines or stands in a list.

use std::io::{self, Read};
use std::ops::Range;

use super::line::LINE_BYTES_MAX;

/// A piece of a stream that holds whole records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    bytes: Vec<u8>,
    records: Records,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Records {
    /// Each line is one; the first of them has this number.
    Lines(u64),
    /// These stretches are, each with the number of its first line.
    Stretches(Vec<(Range<usize>, u64)>),
}

/// How large a block is, give or take a line.
const BLOCK_BYTES: usize = 1024 * 1024;

/// Hands on the blocks of a stream, until somebody has enough.
///
/// What came before a damage is handed on before the error is.
pub(super) fn blocks(reader: &mut dyn Read, each: &mut dyn FnMut(Block) -> bool) -> io::Result<()> {
    let mut bytes = Vec::new();
    let read = fill(reader, &mut bytes);
    match Layout::of(&bytes) {
        Layout::Lines => by_lines(reader, (bytes, read), each),
        Layout::Objects(depth) => by_objects(reader, (bytes, read), depth, each),
    }
}

/// Reads until there is a block, or no more.
fn fill(reader: &mut dyn Read, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let wanted = (BLOCK_BYTES as u64).saturating_sub(bytes.len() as u64).max(4096);
    bytes.reserve(usize::try_from(wanted).unwrap_or(BLOCK_BYTES));
    let read = reader.take(wanted).read_to_end(bytes)?;
    Ok(read as u64 == wanted)
}

type Filled = (Vec<u8>, io::Result<bool>);

fn by_lines(
    reader: &mut dyn Read,
    (mut bytes, mut read): Filled,
    each: &mut dyn FnMut(Block) -> bool,
) -> io::Result<()> {
    let mut number = 1;
    loop {
        let goes_on = matches!(read, Ok(true));
        let end = if goes_on { cut(&bytes) } else { bytes.len() };
        let rest = bytes.split_off(end);
        let lines = memchr::memchr_iter(b'\n', &bytes).count() as u64;
        if !bytes.is_empty() && !each(Block { bytes, records: Records::Lines(number) }) {
            return Ok(());
        }
        number += lines;
        if !goes_on {
            return read.map(|_| ());
        }
        bytes = rest;
        if LINE_BYTES_MAX < bytes.len() {
            // No line is that long: it is told as one, and the rest of it left out.
            bytes.truncate(LINE_BYTES_MAX + 1);
            let kept = Block { bytes: std::mem::take(&mut bytes), records: Records::Lines(number) };
            if !each(kept) {
                return Ok(());
            }
            number += 1;
            bytes = after_line(reader)?;
        }
        read = fill(reader, &mut bytes);
    }
}

/// Where a block ends: behind the last line that is followed by one that begins a record.
fn cut(bytes: &[u8]) -> usize {
    let ends = || memchr::memrchr_iter(b'\n', bytes).map(|it| it + 1);
    let begins = |at: &usize| bytes.get(*at).copied().is_some_and(begins_record);
    ends().take(LINES_JOINED_MAX).find(begins).or_else(|| ends().next()).unwrap_or_default()
}

/// What the first byte of a record may be: of an object, or of a time.
fn begins_record(byte: u8) -> bool {
    byte == b'{' || byte.is_ascii_digit()
}

/// How many lines without a time of their own belong to the one before.
const LINES_JOINED_MAX: usize = 1_000;

/// Reads to the end of a line, and gives what was read behind it.
fn after_line(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let goes_on = fill(reader, &mut bytes)?;
        if let Some(end) = memchr::memchr(b'\n', &bytes) {
            return Ok(bytes.split_off(end + 1));
        }
        if !goes_on {
            return Ok(Vec::new());
        }
    }
}

/// How the records of a stream lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Lines,
    /// Objects inside so many brackets, on as many lines as they like.
    Objects(usize),
}

/// Names under which exports of logs keep their records.
const LISTS: [&[u8]; 9] = [
    b"Events", b"Records", b"entries", b"events", b"items", b"logs", b"records", b"value", b"data",
];

impl Layout {
    fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.trim_ascii_start();
        match bytes.first() {
            Some(b'[') if is_list(bytes) => Self::Objects(1),
            Some(b'{') if is_wrapped(bytes) => Self::Objects(2),
            // An object that its line does not end.
            Some(b'{') => {
                let end = memchr::memchr(b'\n', bytes);
                let line = bytes.get(..end.unwrap_or_default()).unwrap_or_default();
                let mut scan = Scan::default();
                for byte in line {
                    scan.step(*byte);
                }
                let is_open = end.is_some() && 0 < scan.depth && line.len() < LINE_BYTES_MAX;
                let goes_on = || {
                    let rest = bytes.get(line.len()..).unwrap_or_default().trim_ascii_start();
                    matches!(rest.first(), Some(b'"' | b'}'))
                };
                if is_open && goes_on() { Self::Objects(0) } else { Self::Lines }
            }
            _ => Self::Lines,
        }
    }
}

/// Whether a list of objects begins here.
fn is_list(bytes: &[u8]) -> bool {
    let inside = bytes.get(1..).unwrap_or_default().trim_ascii_start();
    matches!(inside.first(), Some(b'{' | b']') | None)
}

/// Whether an object begins here whose list holds the records: `{"Records": [{`.
fn is_wrapped(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(1..).unwrap_or_default();
    for _ in 0..8 {
        let Some((name, after)) = string(rest.trim_ascii_start()) else { return false };
        let Some(after) = after.trim_ascii_start().strip_prefix(b":") else { return false };
        let value = after.trim_ascii_start();
        if value.first() == Some(&b'[') {
            return LISTS.contains(&name) && is_list(value);
        }
        // A text may stand before it, such as where the records come from.
        let Some((_, after)) = string(value) else { return false };
        let Some(after) = after.trim_ascii_start().strip_prefix(b",") else { return false };
        rest = after;
    }
    false
}

/// The text at the beginning, without its quotes, and what stands after it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = bytes.strip_prefix(b"\"")?;
    let end = memchr::memchr2(b'"', b'\\', inside)?;
    if inside.get(end) == Some(&b'\\') {
        return None;
    }
    Some((inside.get(..end)?, inside.get(end + 1..)?))
}

/// Where a byte stands: how deep, and whether in a text.
#[derive(Debug, Clone, Copy, Default)]
struct Scan {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Scan {
    fn step(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_text => self.escaped = true,
            b'"' => self.in_text = !self.in_text,
            b'{' | b'[' if !self.in_text => self.depth += 1,
            b'}' | b']' if !self.in_text => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// Objects that were cut out, until there are enough for a block.
#[derive(Debug, Default)]
struct Cutter {
    depth: usize,
    scan: Scan,
    line: u64,
    bytes: Vec<u8>,
    stretches: Vec<(Range<usize>, u64)>,
    /// Where the record began that is being read: in `bytes`, and its line.
    open: Option<(usize, u64)>,
}

fn by_objects(
    reader: &mut dyn Read,
    (mut bytes, mut read): Filled,
    depth: usize,
    each: &mut dyn FnMut(Block) -> bool,
) -> io::Result<()> {
    let mut cutter = Cutter { depth, line: 1, ..Cutter::default() };
    loop {
        for byte in &bytes {
            cutter.step(*byte);
        }
        let goes_on = matches!(read, Ok(true));
        if !goes_on {
            cutter.end();
        }
        if let Some(block) = cutter.take(goes_on)
            && !each(block)
        {
            return Ok(());
        }
        if !goes_on {
            return read.map(|_| ());
        }
        bytes.clear();
        read = fill(reader, &mut bytes);
    }
}

impl Cutter {
    fn step(&mut self, byte: u8) {
        let before = self.scan.depth;
        self.scan.step(byte);
        let begins = byte == b'{' && before == self.depth && self.scan.depth == self.depth + 1;
        if begins && self.open.is_none() {
            self.open = Some((self.bytes.len(), self.line));
        }
        if let Some((start, _)) = self.open {
            // What is longer than a record may be is kept only as far as it takes to tell so.
            if self.bytes.len() - start <= LINE_BYTES_MAX {
                self.bytes.push(byte);
            }
            if before == self.depth + 1 && self.scan.depth == self.depth {
                self.end();
            }
        }
        self.line += u64::from(byte == b'\n');
    }

    /// The record that is being read ends here.
    fn end(&mut self) {
        if let Some((start, line)) = self.open.take() {
            self.stretches.push((start..self.bytes.len(), line));
        }
    }

    fn take(&mut self, wants_enough: bool) -> Option<Block> {
        let whole = self.open.map_or(self.bytes.len(), |it| it.0);
        if self.stretches.is_empty() || (wants_enough && whole < BLOCK_BYTES) {
            return None;
        }
        let rest = self.bytes.split_off(whole);
        let bytes = std::mem::replace(&mut self.bytes, rest);
        self.open = self.open.map(|(_, line)| (0, line));
        Some(Block { bytes, records: Records::Stretches(std::mem::take(&mut self.stretches)) })
    }
}

impl Block {
    /// Hands on each record with the number of its first line, until somebody has enough.
    pub(super) fn records(&self, mut each: impl FnMut(u64, &[u8]) -> bool) -> bool {
        match &self.records {
            Records::Stretches(stretches) => stretches.iter().all(|(stretch, line)| {
                self.bytes.get(stretch.clone()).is_none_or(|it| each(*line, it))
            }),
            Records::Lines(first) => {
                let (mut start, mut number) = (0, *first);
                while start < self.bytes.len() {
                    let (end, lines) = self.end_of(start);
                    let line = self.bytes.get(start..end).unwrap_or_default();
                    if !each(number, line) {
                        return false;
                    }
                    (start, number) = (end, number + lines);
                }
                true
            }
        }
    }

    /// Where the record ends that begins here, and how many lines it has: a line that begins with a time goes
    /// on in those that begin with none.
    fn end_of(&self, start: usize) -> (usize, u64) {
        let after = |from: usize| {
            let rest = self.bytes.get(from..).unwrap_or_default();
            memchr::memchr(b'\n', rest).map_or(self.bytes.len(), |it| from + it + 1)
        };
        let mut end = after(start);
        let mut lines = 1;
        let is_timed = self.bytes.get(start).is_some_and(u8::is_ascii_digit);
        while is_timed
            && lines < LINES_JOINED_MAX as u64
            && self.bytes.get(end).is_some_and(|it| !begins_record(*it))
        {
            end = after(end);
            lines += 1;
        }
        (end, lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(bytes: &[u8]) -> Vec<(u64, String)> {
        let mut seen = Vec::new();
        let each = &mut |block: Block| {
            block.records(|line, it| {
                seen.push((line, String::from_utf8_lossy(it.trim_ascii()).into_owned()));
                true
            })
        };
        blocks(&mut &bytes[..], each).unwrap();
        seen.retain(|it| !it.1.is_empty());
        seen
    }

    #[test]
    fn records_are_found_however_they_lie() {
        let table: [(&str, &str, &str); 11] = [
            ("lines", "{\"a\":1}\n\n{\"b\":[2]}", "1:{\"a\":1} 3:{\"b\":[2]}"),
            ("a list on a line", "[{\"a\":1},{\"b\":2}]", "1:{\"a\":1} 1:{\"b\":2}"),
            ("a list on lines", " [\n{\"a\":1},\n{\"b\":2}\n]\n", "2:{\"a\":1} 3:{\"b\":2}"),
            (
                "records",
                "{\"Records\":[{\"a\":{\"Records\":[1]}},{\"b\":2}]}",
                "1:{\"a\":{\"Records\":[1]}} 1:{\"b\":2}",
            ),
            ("values", "{\"@odata.context\":\"x\",\n\"value\":[\n{\"a\":1}]}", "3:{\"a\":1}"),
            ("on many lines", "{\n \"a\":\n1}\n{\n\"b\":2\n}", "1:{\n \"a\":\n1} 4:{\n\"b\":2\n}"),
            ("cut off", "{\n\"a\":1\n", "1:{\n\"a\":1"),
            ("a bad first line", "{\"a\":\n{\"b\":2}\n", "1:{\"a\": 2:{\"b\":2}"),
            (
                "brackets in texts",
                "[{\"a\":\"}]\\\"{\"},{\"b\":2}]",
                "1:{\"a\":\"}]\\\"{\"} 1:{\"b\":2}",
            ),
            (
                "a time and what follows",
                "2026-11-18 x=\"a\nb\"\n\tat c\n2026 y\nz\n{\"a\":1}\nz",
                "1:2026-11-18 x=\"a\nb\"\n\tat c 4:2026 y\nz 6:{\"a\":1} 7:z",
            ),
            ("nothing", "[]", ""),
        ];
        for (row, text, expected) in table {
            let seen: Vec<String> =
                records(text.as_bytes()).iter().map(|it| format!("{}:{}", it.0, it.1)).collect();
            assert_eq!(seen.join(" "), expected, "{row}");
        }
    }

    #[test]
    fn a_record_without_an_end_costs_no_memory() {
        for (before, after) in [("", "\n{}\n"), ("[{\"a\":\"", "\"},{}]")] {
            let bytes =
                [before.as_bytes(), &vec![b'x'; LINE_BYTES_MAX * 3], after.as_bytes()].concat();
            let seen: Vec<usize> = records(&bytes).iter().map(|it| it.1.len()).collect();
            assert_eq!(seen, [LINE_BYTES_MAX + 1, 2], "{before:?}");
        }
    }

    #[test]
    fn many_blocks_hold_every_record_once() {
        let many: Vec<String> = (0..200_000).map(|it| format!("{{\"n\":{it}}}")).collect();
        for text in [many.join("\n"), format!("[{}]", many.join(","))] {
            let seen = records(text.as_bytes());
            assert_eq!(seen.len(), many.len());
            assert!(seen.iter().zip(&many).all(|(seen, it)| seen.1 == *it));
        }
        let lines = records(many.join("\n").as_bytes());
        assert!(lines.iter().zip(1..).all(|(seen, line)| seen.0 == line));
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_without_losing_a_line(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _seen = records(&bytes);
        }
    }
}
