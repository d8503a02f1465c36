//! The last decisions, so that each can be explained and asked again.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_model::enforce::Call;
use countersign_model::id::DecisionId;
use countersign_model::time::Timestamp;

use crate::gate::Answer;

/// How many decisions are remembered.
pub const RECORDS_MAX: usize = 4_096;
/// How much of what callers said is remembered at most: large questions are forgotten sooner.
const RECORDS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One decision, as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: Timestamp,
    /// What was asked; none where it was no call that a gate knows, or too large to remember.
    pub call: Option<Call>,
    /// What was answered.
    pub answer: Answer,
}

impl Record {
    /// The decision for people: what, why, what was asked and what was known.
    pub fn explain(&self) -> String {
        let answer = &self.answer;
        let reason = answer.reason;
        let verb = if answer.is_admitted() { "ADMITTED" } else { "REFUSED" };
        let (kind, client) = self.call.as_ref().map_or_else(
            || ("a question", "unknown or too large to remember".to_owned()),
            |it| (it.kind.word(), printable(&it.client)),
        );
        let mut text = format!("{verb}  {kind} · {client} · {}\n", self.at);
        let mut line = |name: &str, value: &str| {
            let _always = writeln!(text, "  {name:<9} {value}");
        };
        line("because", &format!("{reason}: {}", reason.explain()));
        if let Some(call) = &self.call {
            line("asked", &asked(call));
        }
        let age = answer.age.map_or_else(
            || "the server was never heard, or the clock went back".to_owned(),
            |it| format!("the server was heard {} ms ago", it.as_millis()),
        );
        let stale =
            if answer.stale_but_admitted { ", stale and admitted all the same" } else { "" };
        line("knew", &format!("epoch {}; {age}{stale}", answer.epoch));
        if let Some(certificate) = &answer.certificate {
            line("rests on", certificate.as_str());
        }
        line("decision", answer.decision.as_str());
        text
    }
}

fn asked(call: &Call) -> String {
    let mut words = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(format!("{name}={}", printable(&value)));
        }
    };
    for scope in &call.scopes {
        add("scope", Some(scope.clone()));
    }
    add("grant", call.grant_type.clone());
    add("ttl", call.ttl_seconds.map(|it| format!("{it}s")));
    add("method", call.method.clone());
    add("path", call.path.clone());
    add("subject", call.subject.clone());
    add("event", call.event.clone());
    for (outcome, number) in &call.causes {
        add(&format!("causes.{}", printable(outcome)), Some(number.to_string()));
    }
    add("url", call.url.clone());
    add("ip", call.ip.map(|it| it.to_string()));
    add("issued", call.issued_at.map(|it| it.to_string()));
    if words.is_empty() { "nothing".to_owned() } else { words.join("  ") }
}

/// A stranger's words without what could write over a terminal, turn a line around, or look like
/// another field: what is not a plain word stands in quotes.
fn printable(text: &str) -> String {
    let plain = |it: char| !it.is_whitespace() && !matches!(it, '"' | '=' | '·') && !hides(it);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') || hides(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown.push('"');
    shown
}

/// Whether a letter moves others around, or cannot be seen.
fn hides(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// How much room the words of a record take.
fn weight(record: &Record) -> usize {
    let Some(call) = &record.call else { return 0 };
    let texts = [&call.grant_type, &call.method, &call.path, &call.subject, &call.event, &call.url];
    let texts = texts.into_iter().flatten().chain(&call.scopes).chain(call.causes.keys());
    call.client.len() + texts.map(|it| it.len() + size_of::<String>()).sum::<usize>()
}

/// The last decisions of a gate.
#[derive(Debug)]
pub(crate) struct Log {
    ring: Mutex<Ring>,
    count: AtomicU64,
    salt: [u8; 4],
}

#[derive(Debug, Default)]
struct Ring {
    records: VecDeque<Arc<Record>>,
    bytes: usize,
}

impl Log {
    /// An empty one. Names of two gates, or of one that was started again, differ by the salt.
    pub(crate) fn new() -> Self {
        let [a, b, c, d, ..] = RandomState::new().hash_one(RECORDS_MAX).to_be_bytes();
        Self { ring: Mutex::default(), count: AtomicU64::new(0), salt: [a, b, c, d] }
    }

    /// A new name for a decision.
    pub(crate) fn name(&self, at: Timestamp) -> DecisionId {
        let count = self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut entropy = [0; 10];
        let (salt, number) = entropy.split_at_mut(self.salt.len());
        salt.copy_from_slice(&self.salt);
        number.copy_from_slice(&count[2..]);
        DecisionId::new(at, entropy)
    }

    /// Remembers one, and forgets the oldest.
    pub(crate) fn add(&self, record: Record) {
        let mut ring = self.ring();
        ring.bytes += weight(&record);
        ring.records.push_back(Arc::new(record));
        while RECORDS_MAX < ring.records.len() || RECORDS_BYTES_MAX < ring.bytes {
            let Some(oldest) = ring.records.pop_front() else { break };
            ring.bytes = ring.bytes.saturating_sub(weight(&oldest));
        }
    }

    /// One by its name.
    pub(crate) fn get(&self, id: &DecisionId) -> Option<Arc<Record>> {
        self.ring().records.iter().rev().find(|it| it.answer.decision == *id).cloned()
    }

    /// The newest ones first, at most `most`.
    pub(crate) fn last(&self, most: usize) -> Vec<Arc<Record>> {
        self.ring().records.iter().rev().take(most).cloned().collect()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
