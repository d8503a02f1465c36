//! The half of judging that looks at one line alone: it needs no memory of others, so that lines can be
//! examined beside each other.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use countersign_model::time::Timestamp;

use super::finding::Answer;
use super::record::{LineError, Record, Told};
use super::rules::{Client, Expectation, LastMinute, bounded};
use super::tokens::{Key, key};

/// What one line comes to.
#[derive(Debug)]
pub(super) struct Entry {
    /// Which line of its source it is; the first one is 1.
    pub(super) line: u64,
    pub(super) kind: Kind,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly every line is of the large one")]
pub(super) enum Kind {
    /// It cannot be read.
    Unreadable(LineError),
    /// It tells of nothing that is asked for.
    Aside,
    /// It names no client.
    Nameless,
    /// It is about a client that the manifest does not declare.
    Other,
    /// It is about one that it declares.
    Known(Facts),
}

/// What is left of a line once it was examined.
#[derive(Debug)]
pub(super) struct Facts {
    /// The client's place in the manifest.
    pub(super) client: usize,
    pub(super) format: &'static str,
    pub(super) told: Told,
    pub(super) granted: bool,
    pub(super) tells_of_issue: bool,
    pub(super) time: Option<Timestamp>,
    pub(super) issued_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) revoked_at: Option<Timestamp>,
    pub(super) key: Option<Key>,
    /// A digest of what a second delivery of the same event has in common with the first.
    pub(super) event: Option<u64>,
    pub(super) sequence: Option<u64>,
    pub(super) sequence_is_odd: bool,
    /// Which of the client's scopes it names, the first 64 of them.
    pub(super) scopes: u64,
    /// A word for its network; 0 where it tells none.
    pub(super) network: u64,
    /// A digest of its agent; 0 where it tells none.
    pub(super) agent: u64,
    pub(super) attributed: Answer,
    pub(super) bounded: Answer,
    pub(super) inside: Answer,
    pub(super) used_inside: Answer,
    /// What else the line can be found by, where that is wanted.
    pub(super) hint: Option<Box<str>>,
}

/// Examines lines.
#[derive(Debug)]
pub(super) struct Examiner<'a> {
    expectation: &'a Expectation,
    /// Whether a failing line is told with its time and the beginning of its token's id.
    pub(super) hints: bool,
    last: LastMinute,
}

/// Digests that nobody can choose a collision for; they leave the process in no form.
static DIGESTS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

static OTHER_DIGESTS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Another digest of a word: both together are 128 bits.
pub(super) fn other_digest(word: &str) -> u64 {
    OTHER_DIGESTS.hash_one(word)
}

/// A digest of a word, never 0.
pub(super) fn digest(word: &str) -> u64 {
    DIGESTS.hash_one(word).max(1)
}

impl<'a> Examiner<'a> {
    pub(super) fn new(expectation: &'a Expectation) -> Self {
        Self { expectation, hints: false, last: LastMinute::default() }
    }

    /// Examines the bytes of a line; an empty one is none.
    pub(super) fn line(&self, number: u64, line: &[u8]) -> Option<Entry> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return None;
        }
        let kind = match Record::parse(line) {
            Ok(record) => self.record(&record),
            Err(error) => unread(error),
        };
        Some(Entry { line: number, kind })
    }

    /// Examines a line that was read before.
    pub(super) fn read(&self, number: u64, record: &Result<Record<'_>, LineError>) -> Entry {
        let kind = match record {
            Ok(record) => self.record(record),
            Err(error) => unread(error.clone()),
        };
        Entry { line: number, kind }
    }

    pub(super) fn record(&self, record: &Record<'_>) -> Kind {
        let told = record.told();
        if told == Told::Aside {
            return Kind::Aside;
        }
        let Some(id) = record.client_id.as_deref() else { return Kind::Nameless };
        match self.expectation.client(id) {
            None => Kind::Other,
            Some((at, client)) => Kind::Known(self.facts(told, (at, client), record)),
        }
    }

    fn facts(&self, told: Told, (at, client): (usize, &Client), record: &Record<'_>) -> Facts {
        let tells_of_issue = record.tells_of_issue();
        let expectation = self.expectation;
        let asks =
            record.granted && (told == Told::Request || (tells_of_issue && told == Told::Use));
        let uses = record.granted && told == Told::Use;
        let when = |is_asked: bool, answer: &dyn Fn() -> Answer| {
            if is_asked { answer() } else { Answer::Good }
        };
        Facts {
            client: at,
            format: record.format.map(|it| it.name).unwrap_or_default(),
            told,
            granted: record.granted,
            tells_of_issue,
            time: record.time,
            issued_at: record.issued_at,
            expires_at: record.expires_at,
            revoked_at: record.revoked_at,
            key: key(record),
            event: record.event_id.as_deref().map(|it| event(it, record)),
            sequence: record.sequence,
            sequence_is_odd: record.unreadable.contains("seq"),
            scopes: scopes(client, record),
            network: record.ip.map(|it| expectation.network(it)).unwrap_or_default(),
            agent: record.agent.as_deref().map(digest).unwrap_or_default(),
            attributed: when(asks, &|| expectation.attributed(record)),
            bounded: when(asks, &|| bounded(client, record)),
            inside: when(asks, &|| expectation.inside(client, record, &self.last)),
            used_inside: when(uses, &|| expectation.used_inside(client, record, &self.last)),
            hint: self.hints.then(|| hint(record)),
        }
    }
}

/// The same event once more has the same id, time and token.
fn event(id: &str, record: &Record<'_>) -> u64 {
    DIGESTS.hash_one((id, record.time, record.token()))
}

fn unread(error: LineError) -> Kind {
    match error {
        LineError::NoEvent => Kind::Aside,
        other => Kind::Unreadable(other),
    }
}

fn scopes(client: &Client, record: &Record<'_>) -> u64 {
    let known = |it: &str| client.scopes.iter().take(64).position(|own| own == it);
    record.scopes.iter().filter_map(|it| known(it)).fold(0, |bits, at| bits | 1 << at)
}

/// Time and the beginning of the token's id, for those who have the log in another form.
fn hint(record: &Record<'_>) -> Box<str> {
    let token = record.token().unwrap_or_default();
    let token: String = token.chars().filter(|it| !it.is_control()).take(8).collect();
    let time = record.time.map_or_else(|| "no time".to_owned(), |it| it.to_string());
    format!(" ({time}, token {token}…)").into()
}
