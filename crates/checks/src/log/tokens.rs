//! Which tokens were issued, when they end, and when they were used, in bounded memory.

use std::collections::{HashMap, VecDeque};

use countersign_model::time::Timestamp;
use countersign_seal::Digest;

use super::record::Record;
use super::report::Place;

/// The first half of a digest: enough to tell tokens apart, and nothing to learn them from.
pub(super) type Key = [u8; 16];

/// The tokens of a log.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    known: HashMap<Key, Token>,
    order: VecDeque<Key>,
    /// Whether one was dropped that may still have been alive.
    pub(super) cut: bool,
    latest: Option<Timestamp>,
}

/// What is known of one token.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Token {
    pub(super) is_issued: bool,
    pub(super) ends_at: Option<Timestamp>,
    pub(super) revoked_at: Option<Timestamp>,
    pub(super) first_use: Option<Use>,
    pub(super) last_use: Option<Use>,
    /// Whether a use of it was found to be too late already.
    pub(super) is_told: bool,
}

/// One use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub(super) time: Timestamp,
    pub(super) place: Place,
}

/// How many tokens are kept.
const TOKENS_MAX: usize = 200_000;

/// What two logs name the same token of a client by.
pub(super) fn key(record: &Record<'_>) -> Option<Key> {
    let token = record.token()?;
    let client = record.client_id.as_deref().unwrap_or_default();
    let digest = Digest::of(format!("{client}\n{token}").as_bytes());
    digest.as_bytes().first_chunk().copied()
}

impl Tokens {
    /// The token of this key. The one that came first makes room.
    pub(super) fn entry(&mut self, key: Key, now: Option<Timestamp>) -> &mut Token {
        self.latest = self.latest.max(now);
        if !self.known.contains_key(&key) {
            if TOKENS_MAX <= self.order.len() {
                self.drop_first();
            }
            self.order.push_back(key);
        }
        self.known.entry(key).or_default()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Token> {
        self.known.get(&key)
    }

    /// All that are kept, in the order in which they came.
    pub(super) fn all(&self) -> impl Iterator<Item = &Token> {
        self.order.iter().filter_map(|it| self.known.get(it))
    }

    fn drop_first(&mut self) {
        let Some(dropped) = self.order.pop_front().and_then(|it| self.known.remove(&it)) else {
            return;
        };
        let has_ended = match (dropped.ends_at, self.latest) {
            (Some(end), Some(latest)) => end < latest,
            _ => false,
        };
        self.cut |= !has_ended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_is_missed_only_while_it_lives() {
        let mut tokens = Tokens::default();
        let at = |it: i64| Some(Timestamp::from_seconds(it));
        let key = |it: usize| {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&(it as u64).to_be_bytes());
            key
        };
        for number in 0..=TOKENS_MAX {
            let now = i64::try_from(number).unwrap();
            tokens.entry(key(number), at(now)).ends_at = at(now + 10);
        }
        assert!(tokens.get(key(0)).is_none() && tokens.get(key(1)).is_some());
        assert!(!tokens.cut && tokens.all().count() == TOKENS_MAX);
        tokens.entry(key(1), at(0)).ends_at = None;
        tokens.entry(key(TOKENS_MAX + 1), at(0));
        assert!(tokens.cut);
    }
}
