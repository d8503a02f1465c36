//! Where everything that a manifest says stands in its text.

use std::collections::BTreeMap;
use std::ops::Range;

use super::diagnostic::Place;
use super::read::node::{Kind, Node, join_index, join_key};
use super::secret_like::{mask, masked};

/// A text, cut into lines, with the stretches that are never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    text: String,
    line_starts: Vec<usize>,
    hidden: Vec<Range<usize>>,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, it)| *it == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after).collect();
        Self { text: text.to_owned(), line_starts, hidden: Vec::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// From now on, this stretch is masked wherever its line is shown.
    pub(super) fn hide(&mut self, stretch: Range<usize>) {
        self.hidden.push(stretch);
    }

    /// The part of `stretch` that lies in its first line.
    pub(super) fn place(&self, stretch: &Range<usize>) -> Place {
        let start = self.floor(stretch.start);
        let index = self.line_starts.partition_point(|it| *it <= start).saturating_sub(1);
        let line_start = self.line_starts.get(index).copied().unwrap_or_default();
        let line_end = self.line_starts.get(index + 1).map_or(self.text.len(), |it| it - 1);
        let end = self.floor(stretch.end).clamp(start, line_end.max(start));
        let chars = |range: Range<usize>| self.text.get(range).map_or(0, |it| it.chars().count());
        Place {
            line: index + 1,
            column: chars(line_start..start) + 1,
            length: chars(start..end).max(1),
            source_line: self.shown(line_start..line_end),
        }
    }

    fn shown(&self, line: Range<usize>) -> String {
        let line = line.start..self.floor(line.end.min(line.start + LINE_BYTES_MAX));
        let mut text = self.text.get(line.clone()).unwrap_or_default().to_owned();
        let within = |it: &&Range<usize>| it.start < line.end && line.start < it.end;
        let mut hidden: Vec<_> = self.hidden.iter().filter(within).collect();
        // From the end, so that the stretches before still fit.
        hidden.sort_by_key(|it| std::cmp::Reverse(it.start));
        for it in hidden {
            let stretch = it.start.max(line.start) - line.start..it.end.min(line.end) - line.start;
            if let Some(secret) = text.get(stretch.clone()) {
                let keep = if line.start <= it.start { KEPT_WITH_QUOTE } else { 0 };
                let cover = masked(secret, keep);
                text.replace_range(stretch, &cover);
            }
        }
        let plain = |it: char| match it {
            '\t' => ' ',
            it if it.is_control() => '\u{fffd}',
            it => it,
        };
        mask(&text).trim_end().chars().take(LINE_MAX).map(plain).collect()
    }

    fn floor(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// The place of every key and value of one manifest, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    source: Source,
    values: BTreeMap<String, Range<usize>>,
    keys: BTreeMap<String, Range<usize>>,
}

impl Spans {
    pub(super) fn new(source: Source, root: &Node) -> Self {
        let mut spans = Self { source, values: BTreeMap::new(), keys: BTreeMap::new() };
        spans.add(root, String::new());
        spans
    }

    /// Where the value at `path` stands: `identity[0].scope[1].name`.
    pub fn place(&self, path: &str) -> Option<Place> {
        self.values.get(path).map(|it| self.source.place(it))
    }

    /// Where the key at `path` stands.
    pub fn key_place(&self, path: &str) -> Option<Place> {
        self.keys.get(path).map(|it| self.source.place(it))
    }

    /// Where `path` stands, or what holds it when it was not written.
    pub fn nearest(&self, path: &str) -> Option<Place> {
        let mut path = path;
        loop {
            if let Some(place) = self.place(path) {
                return Some(place);
            }
            path = path.get(..path.rfind(['.', '['])?)?;
        }
    }

    fn add(&mut self, node: &Node, path: String) {
        match &node.kind {
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add(item, join_index(&path, index));
                }
            }
            Kind::Table(members) => {
                for member in members {
                    let path = join_key(&path, &member.key);
                    self.keys.insert(path.clone(), member.key_span.clone());
                    self.add(&member.node, path);
                }
            }
            Kind::Bool(_) | Kind::Integer(_) | Kind::Refused | Kind::Text(_) => {}
        }
        self.values.insert(path, node.span.clone());
    }
}

/// How many characters of a line are shown.
const LINE_MAX: usize = 200;

/// How much of a line is looked at.
const LINE_BYTES_MAX: usize = 2_000;

/// Four characters and the quotation mark before them.
const KEPT_WITH_QUOTE: usize = 5;
