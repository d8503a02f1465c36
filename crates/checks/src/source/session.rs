use std::cell::Cell;
use std::io::{Cursor, Read};
use std::rc::Rc;

use super::archive::{self, Kind};
use super::bounded::{Capped, reason_of};
use super::engine::{Memory, Text};
use super::finding::{CommitReference, Judged, Place, SecretFinding, Weight};
use super::report::{Reason, ScanReport};
use super::scan::Scanner;
use super::stream::{FromUtf16, Piece, in_pieces};
use super::zip;

/// One scan under way.
pub(super) struct Session<'a> {
    pub(super) scanner: &'a Scanner,
    pub(super) report: ScanReport,
    /// Bytes that archives expanded to.
    pub(super) expanded: Rc<Cell<u64>>,
}

/// Where bytes come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) commit: Option<&'a CommitReference>,
    /// How many archives are around it.
    pub(super) depth: usize,
}

impl<'a> Session<'a> {
    pub(super) fn new(scanner: &'a Scanner) -> Self {
        Self { scanner, report: ScanReport::default(), expanded: Rc::new(Cell::new(0)) }
    }

    pub(super) fn leave_out(&mut self, name: &str, reason: Reason) {
        self.report.leave_out(name, reason, &self.scanner.limits);
    }

    /// Scans a stream, opening it first if it is an archive.
    pub(super) fn open(&mut self, source: Source<'_>, reader: &mut dyn Read) {
        let limits = &self.scanner.limits;
        if self.scanner.is_stopped() {
            return self.leave_out(source.name, Reason::OutOfTime);
        }
        if limits.total_bytes_max <= self.report.scanned_bytes {
            return self.leave_out(source.name, Reason::TooManyBytes);
        }
        if limits.files_max <= self.report.scanned_files {
            return self.leave_out(source.name, Reason::TooManyFiles);
        }
        if self.scanner.rules.allow.iter().any(|it| it.allows_path(source.name)) {
            self.leave_out(source.name, Reason::PathAllowed);
            return self.look_for_live_only(source, reader);
        }
        let mut head = Vec::new();
        if let Err(error) = (&mut *reader).take(archive::HEAD_BYTES).read_to_end(&mut head) {
            return self.leave_out(source.name, reason_of(&error, source.depth));
        }
        let kind = Kind::of(&head);
        let utf16 = FromUtf16::big_endian(&head);
        if utf16.is_some() {
            head.drain(..2);
        } else if head.starts_with(UTF_8_MARK) {
            head.drain(..UTF_8_MARK.len());
        }
        let mut all = Cursor::new(head).chain(reader);
        match (kind, utf16) {
            (Some(kind), _) => archive::open(self, source, kind, &mut all),
            (None, Some(big_endian)) => {
                self.read(source, &mut FromUtf16::new(&mut all, big_endian));
            }
            (None, None) => self.read(source, &mut all),
        }
    }

    /// Scans a stream as it is.
    pub(super) fn read(&mut self, source: Source<'_>, reader: &mut dyn Read) {
        self.read_with(source, reader, true);
    }

    /// A path that the rules allow may still not hold a live credential.
    fn look_for_live_only(&mut self, source: Source<'_>, reader: &mut dyn Read) {
        if self.scanner.looks_for_live() {
            self.read_with(source, reader, false);
        }
    }

    fn read_with(&mut self, source: Source<'_>, reader: &mut dyn Read, with_rules: bool) {
        let limits = self.scanner.limits;
        let left = limits.total_bytes_max.saturating_sub(self.report.scanned_bytes);
        let mut capped = Capped::new(reader, limits.file_bytes_max, left);
        let mut file =
            File { source, memory: Memory::default(), count: 0, dropped: false, with_rules };
        if with_rules {
            self.look_at_path(&mut file);
        }
        let mut holds_zip = false;
        let (bytes, result) = in_pieces(&mut capped, |piece| {
            let is_last = piece.own.end == piece.bytes.len();
            holds_zip = is_last && zip::ends_as_zip(piece.bytes);
            self.look(&mut file, piece);
        });
        if holds_zip {
            self.leave_out(source.name, Reason::UnsupportedArchive);
        }
        self.report.scanned_bytes += bytes;
        match result {
            Ok(()) => self.report.scanned_files += 1,
            Err(error) => self.leave_out(source.name, reason_of(&error, source.depth)),
        }
    }

    /// Rules without a pattern only look at the path.
    fn look_at_path(&mut self, file: &mut File<'_>) {
        let scanner = self.scanner;
        let name = file.source.name.as_bytes();
        for rule in scanner.rules.rules.iter().filter(|it| it.regex.is_none()) {
            let is_meant = rule.path.as_ref().is_some_and(|it| it.is_match(name));
            let allowed = rule.allow.iter().any(|it| it.allows_path(file.source.name));
            if is_meant && !allowed {
                let judged = Judged {
                    rule: &rule.id,
                    description: &rule.description,
                    weight: rule.weight,
                    live: None,
                    digest: None,
                };
                self.add(file, (1, 1), b"", &judged);
            }
        }
    }

    fn look(&mut self, file: &mut File<'_>, piece: &Piece<'_>) {
        let scanner = self.scanner;
        let text = Text {
            bytes: piece.bytes,
            path: file.source.name,
            commit: file.source.commit.map(|it| it.id.as_str()),
            now: scanner.now,
        };
        let live = scanner.live_in(piece.bytes);
        let mut found = Vec::new();
        if file.with_rules {
            for hit in scanner.rules.find(&text, &mut file.memory) {
                let same = live.as_ref().map(|all| all.iter().find(|it| it.overlaps(&hit.range)));
                found.push((hit.range, Some((hit.rule, hit.weight)), same));
            }
        }
        for it in live.iter().flatten() {
            if !found.iter().any(|(range, ..)| it.overlaps(range)) {
                found.push((it.range.clone(), None, Some(Some(it))));
            }
        }
        found.sort_by_key(|(range, ..)| range.start);
        for (range, hit, live) in found.into_iter().filter(|it| piece.own.contains(&it.0.start)) {
            let Some(secret) = piece.bytes.get(range.clone()) else { continue };
            let rule =
                hit.and_then(|(rule, weight)| Some((scanner.rules.rules.get(rule)?, weight)));
            let is_live = live.map(|it| it.is_some());
            let weight = if is_live == Some(true) { Some(Weight::High) } else { None };
            let judged = Judged {
                rule: rule.map_or("live-credential", |it| &it.0.id),
                description: rule.map_or(LIVE, |it| &it.0.description),
                weight: weight.or(rule.map(|it| it.1)).unwrap_or(Weight::High),
                live: is_live,
                digest: live.flatten().map(|it| it.credential),
            };
            self.add(file, piece.place(range.start), secret, &judged);
        }
    }

    fn add(&mut self, file: &mut File<'_>, at: (u64, u64), secret: &[u8], judged: &Judged<'_>) {
        let limits = self.scanner.limits;
        // Live credentials are few and never crowded out by look-alikes in the same file.
        if limits.findings_per_file_max <= file.count && judged.live != Some(true) {
            if !file.dropped {
                file.dropped = true;
                self.leave_out(file.source.name, Reason::TooManyFindings);
            }
            return;
        }
        file.count += 1;
        let Source { name, commit, .. } = file.source;
        let place = Place { file: name, line: at.0, column: at.1, commit };
        let finding = SecretFinding::new(&self.scanner.key, secret, &place, judged);
        self.report.add(finding, &limits);
    }
}

/// A mark in front of a text is no part of its first line.
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const LIVE: &str = "a live credential of this integration";

/// One file under way.
struct File<'a> {
    source: Source<'a>,
    memory: Memory,
    count: usize,
    dropped: bool,
    with_rules: bool,
}

/// A name of a foreign source, fit to be printed.
pub(super) fn printable(name: &[u8]) -> String {
    const LETTERS_MAX: usize = 1024;
    let text = String::from_utf8_lossy(name);
    let clean = |it: char| if it.is_control() { char::REPLACEMENT_CHARACTER } else { it };
    let letters = text.chars().count();
    let cut = letters.saturating_sub(LETTERS_MAX);
    let mut printable = String::with_capacity(text.len());
    if 0 < cut {
        printable.push('…');
    }
    printable.extend(text.chars().skip(cut).map(clean));
    printable
}

/// Scans bytes at hand.
pub(super) fn open_bytes(session: &mut Session<'_>, source: Source<'_>, bytes: &[u8]) {
    session.open(source, &mut Cursor::new(bytes));
}
