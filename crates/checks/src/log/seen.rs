//! What is remembered of one client, in bounded memory.

use std::collections::HashSet;

use countersign_model::time::{Period, Timestamp};

use super::rate::Rate;
use super::report::Place;
use super::sequence::Numbers;

/// What was seen of one client.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) numbers: Numbers,
    pub(super) rate: Option<Rate>,
    pub(super) first_request: Option<Timestamp>,
    pub(super) latest: Option<(Timestamp, Place)>,
    /// The earliest and the latest time of all.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    /// The longest stretch without a line: its begin and its end.
    pub(super) silence: Option<(Timestamp, Timestamp)>,
    /// When each scope was last asked for or used.
    scopes: Vec<Option<Timestamp>>,
    networks: HashSet<u64>,
    agents: HashSet<u64>,
}

/// How long a client is watched before something new about it is told.
const KNOWN_AFTER: Period = Period::from_hours(24);
/// How many different networks or agents of a client are remembered.
const WORDS_MAX: usize = 10_000;
/// How long a scope may go unused.
pub(super) const UNUSED_AFTER: Period = Period::from_days(30);

impl Seen {
    /// Takes a moment in.
    pub(super) fn at(&mut self, time: Timestamp) {
        let Some((first, last)) = self.span else {
            self.span = Some((time, time));
            return;
        };
        if last < time {
            let longest = self.silence.map_or(Period::default(), |(from, to)| to.since(from));
            if longest < time.since(last) {
                self.silence = Some((last, time));
            }
        }
        self.span = Some((first.min(time), last.max(time)));
    }

    /// Takes scopes in, each bit one of them.
    pub(super) fn scopes(&mut self, bits: u64, time: Timestamp) {
        let mut left = bits;
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            if self.scopes.len() <= at {
                self.scopes.resize(at + 1, None);
            }
            if let Some(last) = self.scopes.get_mut(at) {
                *last = (*last).max(Some(time));
            }
        }
    }

    /// Whether a network is a new one for somebody who is known.
    pub(super) fn is_new_network(&mut self, network: u64, time: Option<Timestamp>) -> bool {
        let is_known = self.is_known(time);
        is_new(&mut self.networks, network) && is_known
    }

    /// Whether an agent is a new one for somebody who is known.
    pub(super) fn is_new_agent(&mut self, agent: u64, time: Option<Timestamp>) -> bool {
        let is_known = self.is_known(time);
        is_new(&mut self.agents, agent) && is_known
    }

    fn is_known(&self, time: Option<Timestamp>) -> bool {
        let first = self.span.map(|it| it.0);
        first.zip(time).is_some_and(|(first, time)| KNOWN_AFTER <= time.since(first))
    }

    /// The scopes, by their place, that were not named in the last days of a log that is long enough.
    pub(super) fn unused(&self, count: usize) -> Vec<usize> {
        let Some((first, last)) = self.span else { return Vec::new() };
        if last.since(first) < UNUSED_AFTER {
            return Vec::new();
        }
        let used = |at: usize| self.scopes.get(at).copied().flatten();
        let is_unused = |at: &usize| used(*at).is_none_or(|it| it + UNUSED_AFTER < last);
        (0..count.min(64)).filter(is_unused).collect()
    }
}

fn is_new(known: &mut HashSet<u64>, word: u64) -> bool {
    // Whoever comes with ten thousand agents is told of often enough.
    word != 0 && known.len() < WORDS_MAX && known.insert(word)
}
