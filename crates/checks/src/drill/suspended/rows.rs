//! What happened on each path, read back from a transcript.

use std::fmt;

use countersign_model::check::Transcript;
use serde_json::Value;

use crate::drill::seconds;
use crate::drill::tries::{OPEN, SHUT};

/// One path, and what happened there.
#[derive(Debug)]
pub(super) struct Row {
    path: String,
    /// How soon it has to refuse.
    limit_ms: u64,
    open: Option<Try>,
    shut: Option<Try>,
    restored: Option<Try>,
    /// An attempt where nothing is registered.
    unregistered: Option<Try>,
}

#[derive(Debug)]
struct Try {
    came: String,
    seen: String,
    after_ms: u64,
}

/// One row for each path of the manifest.
pub(super) fn rows(transcript: &Transcript) -> Vec<Row> {
    let paths = transcript.settings.get("paths").and_then(Value::as_array).into_iter().flatten();
    let seconds = |name: &str| transcript.number(name).map(|it| it.saturating_mul(1_000));
    let declared = transcript.number("deny_within_ms").unwrap_or_default();
    let all = seconds("CTS-WDR-01.max_seconds").map_or(declared, |it| it.min(declared));
    let minting = seconds("CTS-WDR-01.issuance_seconds").map_or(all, |it| it.min(all));
    let row = |path: &str| {
        let last = |label: &str| {
            let facts = transcript.facts(label).map(|it| &it.value);
            facts
                .filter(|it| it.get("path").and_then(Value::as_str) == Some(path))
                .last()
                .and_then(read)
        };
        Row {
            path: path.to_owned(),
            limit_ms: if is_minting(path) { minting } else { all },
            open: last("open"),
            shut: last("shut"),
            restored: last("restored"),
            unregistered: last("unregistered"),
        }
    };
    // A refresh token is a way in of its own, where a copy got one; so is what introspection says.
    let refresh = transcript.facts("open").filter_map(|it| it.value.get("path")?.as_str());
    let refresh = refresh.filter(|it| {
        ["token-refresh ", "token-introspect "].iter().any(|kind| it.starts_with(kind))
    });
    paths.filter_map(Value::as_str).chain(refresh).map(row).collect()
}

/// Whether a new token comes of it.
fn is_minting(path: &str) -> bool {
    path.starts_with("token-mint ") || path.starts_with("token-refresh ")
}

fn read(fact: &Value) -> Option<Try> {
    let text = |name: &str| fact.get(name)?.as_str().map(str::to_owned);
    let after_ms = fact.get("after_ms")?.as_u64()?;
    Some(Try { came: text("came")?, seen: text("seen")?, after_ms })
}

/// One path, as a drill's table shows it.
#[derive(Debug)]
pub(crate) struct PathSeen {
    pub(crate) path: String,
    pub(crate) limit_ms: u64,
    pub(crate) shut_after_ms: Option<u64>,
    pub(crate) met: Option<bool>,
    pub(crate) seen: String,
}

/// What was seen of each path.
pub(crate) fn paths(transcript: &Transcript) -> Vec<PathSeen> {
    let seen = |it: Row| {
        let words = it.to_string();
        let seen = words.strip_prefix(&format!("{}: ", it.path)).unwrap_or(&words).to_owned();
        let met = if it.stays_open() { Some(false) } else { (!it.is_unseen()).then_some(true) };
        let shut_after_ms = it.shut_after_ms();
        PathSeen { limit_ms: it.limit_ms, shut_after_ms, met, seen, path: it.path }
    };
    rows(transcript).into_iter().map(seen).collect()
}

impl Row {
    fn was_open(&self) -> bool {
        self.open.as_ref().is_some_and(|it| it.came == OPEN)
    }

    /// It was open, and did not refuse in time; or lets in what has no credential at all.
    pub(super) fn stays_open(&self) -> bool {
        let lets_in =
            |it: &Try| it.came == OPEN || (it.came == SHUT && self.limit_ms < it.after_ms);
        self.unregistered.as_ref().is_some_and(|it| it.came == OPEN)
            || (self.was_open() && self.shut.as_ref().is_some_and(lets_in))
    }

    /// Its name.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// How soon it refused.
    pub(super) fn shut_after_ms(&self) -> Option<u64> {
        let shut = self.shut.as_ref().filter(|it| self.was_open() && it.came == SHUT)?;
        Some(shut.after_ms)
    }

    /// It cannot be said that it is shut, or that it came back.
    pub(super) fn is_unseen(&self) -> bool {
        if let Some(it) = &self.unregistered {
            return it.came != SHUT;
        }
        let is_back = self.restored.as_ref().is_some_and(|it| it.came == OPEN);
        self.shut_after_ms().is_none() || !is_back
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, open, shut, restored, unregistered, limit_ms: _ } = self;
        if let Some(it) = unregistered {
            return write!(
                formatter,
                "{path}: nothing is registered that could answer; an attempt came to {}",
                it.seen
            );
        }
        match (open, shut, restored) {
            (None, ..) => write!(formatter, "{path}: not tried"),
            (Some(it), ..) if it.came != OPEN => {
                write!(formatter, "{path}: not seen open ({})", it.seen)
            }
            (_, None, _) => write!(formatter, "{path}: open, and not tried again"),
            (_, Some(it), _) if it.came != SHUT => {
                write!(formatter, "{path}: {} after {}", it.seen, seconds(it.after_ms))
            }
            (_, Some(it), Some(back)) if back.came == OPEN => {
                write!(formatter, "{path}: refused after {} ({})", seconds(it.after_ms), it.seen)
            }
            (_, Some(it), back) => {
                let back = back.as_ref().map_or("not tried again", |it| it.seen.as_str());
                write!(
                    formatter,
                    "{path}: refused after {}, and not back: {back}",
                    seconds(it.after_ms)
                )
            }
        }
    }
}
