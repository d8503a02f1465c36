//! A tree of values, each with its place in the text.

use std::ops::Range;

use serde_json::Value;

use crate::declare::code::PreflightCode;
use crate::declare::diagnostic::Diagnostic;
use crate::declare::spans::Source;

/// One value and where it stands.
#[derive(Debug, Clone)]
pub(in crate::declare) struct Node {
    pub(in crate::declare) span: Range<usize>,
    pub(in crate::declare) kind: Kind,
}

#[derive(Debug, Clone)]
pub(in crate::declare) enum Kind {
    Bool(bool),
    Integer(i64),
    List(Vec<Node>),
    /// A value that was reported; the rest is still looked at.
    Refused,
    Table(Vec<Member>),
    Text(String),
}

/// One key of a table.
#[derive(Debug, Clone)]
pub(in crate::declare) struct Member {
    pub(in crate::declare) key: String,
    pub(in crate::declare) key_span: Range<usize>,
    pub(in crate::declare) node: Node,
}

impl Node {
    /// The same as JSON, without places and without what was refused.
    pub(in crate::declare) fn value(&self) -> Option<Value> {
        Some(match &self.kind {
            Kind::Bool(it) => Value::Bool(*it),
            Kind::Integer(it) => Value::from(*it),
            Kind::List(items) => items.iter().filter_map(Self::value).collect(),
            Kind::Refused => return None,
            Kind::Table(members) => Value::Object(
                members.iter().filter_map(|it| Some((it.key.clone(), it.node.value()?))).collect(),
            ),
            Kind::Text(it) => Value::String(it.clone()),
        })
    }
}

/// The path of a key below `path`: bare where TOML allows it, else in quotation marks.
pub(in crate::declare) fn join_key(path: &str, key: &str) -> String {
    let bare = !key.is_empty()
        && key.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_');
    let dot = if path.is_empty() { "" } else { "." };
    if bare { format!("{path}{dot}{key}") } else { format!("{path}{dot}{}", Value::from(key)) }
}

/// The path of an item of the list at `path`.
pub(in crate::declare) fn join_index(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// Collects what is wrong, at most [`DIAGNOSTICS_MAX`] of it.
#[derive(Debug)]
pub(in crate::declare) struct Problems {
    pub(in crate::declare) source: Source,
    found: Vec<Diagnostic>,
    unsaid: usize,
}

impl Problems {
    pub(in crate::declare) fn new(source: Source) -> Self {
        Self { source, found: Vec::new(), unsaid: 0 }
    }

    pub(in crate::declare) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Adds one at a place; `more` completes it.
    pub(in crate::declare) fn add(
        &mut self,
        (code, path): (PreflightCode, &str),
        span: &Range<usize>,
        message: impl AsRef<str>,
        more: impl FnOnce(Diagnostic) -> Diagnostic,
    ) {
        if self.is_full() {
            self.unsaid += 1;
            return;
        }
        let place = self.source.place(span);
        self.push(more(Diagnostic::new(code, path, message).at(Some(place))));
    }

    /// Whether further ones are only counted.
    pub(in crate::declare) fn is_full(&self) -> bool {
        DIAGNOSTICS_MAX <= self.found.len()
    }

    /// Counts one that is not told.
    pub(in crate::declare) fn count(&mut self) {
        self.unsaid += 1;
    }

    /// Adds one that knows its place.
    pub(in crate::declare) fn push(&mut self, diagnostic: Diagnostic) {
        if self.is_full() {
            self.unsaid += 1;
        } else {
            self.found.push(diagnostic);
        }
    }

    /// All of them, in the order of the text.
    pub(in crate::declare) fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut found = self.found;
        found.sort_by_key(|it| it.place.as_ref().map(|place| (place.line, place.column)));
        if let Some(last) = found.last_mut().filter(|_| 0 < self.unsaid) {
            last.note = Some(format!("{} more problems are not shown", self.unsaid));
        }
        found
    }
}

/// How many problems are told at once.
pub(in crate::declare) const DIAGNOSTICS_MAX: usize = 100;

/// How deep tables and lists may stand inside each other.
pub(in crate::declare) const DEPTH_MAX: usize = 16;

/// How many items a list or a table may have.
pub(in crate::declare) const ITEMS_MAX: usize = 2_000;

/// The largest integer that every JSON reader keeps exact (RFC 7493, section 2.2).
pub(in crate::declare) const INTEGER_MAX: i64 = (1 << 53) - 1;

/// Whether a list or table at this depth and of this length may be looked at; reports it if not.
pub(in crate::declare) fn within_limits(
    problems: &mut Problems,
    (path, span): (&str, &Range<usize>),
    (depth, length): (usize, usize),
) -> bool {
    let message = if DEPTH_MAX < depth {
        format!("values stand more than {DEPTH_MAX} levels deep")
    } else if ITEMS_MAX < length {
        format!("{length} items stand here; at most {ITEMS_MAX} are read")
    } else {
        return true;
    };
    problems.add((PreflightCode::TooLarge, path), span, message, |it| it);
    false
}

/// Reports an integer that readers would round.
pub(in crate::declare) fn integer(
    problems: &mut Problems,
    (path, span): (&str, &Range<usize>),
    number: Option<i64>,
) -> Kind {
    if let Some(number) = number.filter(|it| (-INTEGER_MAX..=INTEGER_MAX).contains(it)) {
        return Kind::Integer(number);
    }
    let message = "integers beyond 2^53 - 1 are not exact everywhere";
    problems.add((PreflightCode::ForbiddenKind, path), span, message, |it| {
        it.with_help("write it as a string")
    });
    Kind::Refused
}
