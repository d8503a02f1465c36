//! What is known of a log from outside it: where its numbers begin and end, and which requests we made ourselves.

use std::collections::{BTreeMap, HashMap};

pub use super::canary::confidence;
use super::sequence::Numbers;
use super::tokens::{Key, key_of};

/// The first and the last running number of clients, from a counter outside the log: a gate's, the platform's
/// own, or an earlier checkpoint.
///
/// Without them a log that lost its first or its last lines looks whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks(BTreeMap<String, (u64, u64)>);

impl Marks {
    /// From now on the numbers of this client run from the first to the last, both included.
    pub fn add(&mut self, client: &str, first: u64, last: u64) {
        self.0.insert(client.to_owned(), (first, last));
    }

    /// The stretches of numbers that are missing.
    pub(super) fn missing(&self, client: &str, numbers: &Numbers) -> Vec<(u64, u64)> {
        let mut missing: Vec<(u64, u64)> = numbers.gaps().collect();
        let Some((first, last)) = self.0.get(client).copied() else { return missing };
        let Some((seen_first, seen_last)) = numbers.ends() else {
            return if first <= last { vec![(first, last)] } else { missing };
        };
        if first < seen_first {
            missing.insert(0, (first, seen_first - 1));
        }
        if seen_last < last {
            missing.push((seen_last + 1, last));
        }
        missing
    }
}

/// Requests of our own that the log has to show.
#[derive(Debug, Clone, Default)]
pub struct Canaries {
    tokens: HashMap<Key, String>,
    order: Vec<Key>,
    found: u64,
}

impl Canaries {
    /// From now on this token of this client is looked for.
    pub fn add(&mut self, client: &str, token: &str) {
        let key = key_of(client, token);
        let shown = token.chars().filter(|it| !it.is_control()).take(8).collect();
        if self.tokens.insert(key, shown).is_none() {
            self.order.push(key);
        }
    }

    pub(super) fn seen(&mut self, key: Key) {
        if !self.tokens.is_empty() && self.tokens.remove(&key).is_some() {
            self.found += 1;
        }
    }

    /// How many were found of how many, and the beginnings of those that were not.
    pub(super) fn finish(&mut self) -> ((u64, u64), Vec<String>) {
        let missing: Vec<String> =
            self.order.iter().filter_map(|it| self.tokens.remove(it)).collect();
        let all = u64::try_from(self.order.len()).unwrap_or(u64::MAX);
        ((self.found, all), missing)
    }
}
