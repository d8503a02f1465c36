//! Which tokens were issued, when they end, and when they were used, in bounded memory.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use countersign_model::time::{Period, Timestamp};

use super::examine::{digest, other_digest};
use super::record::Record;
use super::report::Place;

/// A digest of a token and its client: enough to tell tokens apart, and nothing to learn them from.
pub(super) type Key = [u64; 2];

/// The tokens of a log.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    known: HashMap<Key, Token, BuildHasherDefault<OfKey>>,
    order: VecDeque<Key>,
    /// Whether one was dropped that may still have been alive.
    pub(super) cut: bool,
    latest: Option<Timestamp>,
    life: Period,
}

/// What is known of one token.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Token {
    pub(super) is_issued: bool,
    pub(super) seen_at: Option<Timestamp>,
    pub(super) ends_at: Option<Timestamp>,
    pub(super) revoked_at: Option<Timestamp>,
    pub(super) first_use: Option<Use>,
    pub(super) last_use: Option<Use>,
    /// A word for the network that it was first seen in; 0 where none was told.
    pub(super) network: u64,
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
    Some(key_of(record.client_id.as_deref().unwrap_or_default(), token))
}

pub(super) fn key_of(client: &str, token: &str) -> Key {
    let of_client = digest(client);
    [digest(token), of_client.rotate_left(7) ^ other_digest(token)]
}

/// A key is a digest already.
#[derive(Debug, Default)]
pub(super) struct OfKey(u64);

impl Hasher for OfKey {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks(8).map(|it| {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(it) {
                *to = *from;
            }
            u64::from_ne_bytes(word)
        });
        self.0 =
            words.next().unwrap_or_default() ^ words.next().unwrap_or_default().rotate_left(32);
    }

    fn write_usize(&mut self, _length: usize) {}
}

impl Tokens {
    /// None yet; each of them lives no longer than this.
    pub(super) fn living(life: Period) -> Self {
        Self { life, ..Self::default() }
    }

    /// Makes room for a token that is not known. The one that came first is handed out.
    pub(super) fn make_room(&mut self, key: Key, now: Option<Timestamp>) -> Option<Token> {
        self.latest = self.latest.max(now);
        if self.known.contains_key(&key) {
            return None;
        }
        let dropped = if TOKENS_MAX <= self.order.len() { self.drop_first() } else { None };
        self.order.push_back(key);
        self.known.insert(key, Token { seen_at: now, ..Token::default() });
        dropped
    }

    /// The token of this key.
    pub(super) fn entry(&mut self, key: Key) -> &mut Token {
        self.known.entry(key).or_default()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Token> {
        self.known.get(&key)
    }

    /// All that are kept, in the order in which they came.
    pub(super) fn take_all(&mut self) -> Vec<Token> {
        let known = std::mem::take(&mut self.known);
        std::mem::take(&mut self.order).iter().filter_map(|it| known.get(it).copied()).collect()
    }

    fn drop_first(&mut self) -> Option<Token> {
        let dropped = self.order.pop_front().and_then(|it| self.known.remove(&it))?;
        // Where no end is told, the declared life is one: what is used later is told as never issued.
        let end = dropped.ends_at.or(dropped.seen_at.map(|it| it + self.life));
        let has_ended = end.zip(self.latest).is_some_and(|(end, latest)| end < latest);
        self.cut |= !has_ended;
        Some(dropped)
    }
}

/// Which events were seen lately; the older half is forgotten when there are more.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    now: HashSet<u64, BuildHasherDefault<OfWord>>,
    before: HashSet<u64, BuildHasherDefault<OfWord>>,
}

/// How many events each half holds.
const EVENTS_MAX: usize = 250_000;

/// A word that is a digest already.
#[derive(Debug, Default)]
pub(super) struct OfWord(u64);

impl Hasher for OfWord {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {}

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

impl Repeats {
    /// Whether an event is a new one.
    pub(super) fn insert(&mut self, event: u64) -> bool {
        if self.before.contains(&event) || !self.now.insert(event) {
            return false;
        }
        if EVENTS_MAX <= self.now.len() {
            self.before = std::mem::take(&mut self.now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_is_missed_only_while_it_lives() {
        let mut tokens = Tokens::living(Period::from_seconds(5));
        let at = |it: i64| Some(Timestamp::from_seconds(it));
        let key = |it: usize| [it as u64, 0];
        let add = |tokens: &mut Tokens, it: usize, now, ends_at| {
            let dropped = tokens.make_room(key(it), now);
            tokens.entry(key(it)).ends_at = ends_at;
            dropped
        };
        for number in 0..=TOKENS_MAX {
            let now = i64::try_from(number).unwrap();
            add(&mut tokens, number, at(now), at(now + 10));
        }
        assert!(tokens.get(key(0)).is_none() && tokens.get(key(1)).is_some());
        assert!(!tokens.cut && tokens.order.len() == TOKENS_MAX);
        // One whose end nobody told lives as long as is declared.
        tokens.entry(key(1)).ends_at = None;
        assert!(add(&mut tokens, TOKENS_MAX + 1, at(0), None).is_some() && !tokens.cut);
        tokens.entry(key(2)).ends_at = None;
        tokens.entry(key(2)).seen_at = None;
        add(&mut tokens, TOKENS_MAX + 2, at(0), None);
        assert!(tokens.cut);
    }

    #[test]
    fn tokens_of_two_clients_are_two() {
        assert_eq!(key_of("a", "t"), key_of("a", "t"));
        assert_ne!(key_of("a", "t"), key_of("b", "t"));
        assert_ne!(key_of("a", "t"), key_of("a", "u"));
    }

    #[test]
    fn an_event_is_known_for_a_while() {
        let mut repeats = Repeats::default();
        assert!(repeats.insert(1) && !repeats.insert(1));
        for event in 2..=EVENTS_MAX as u64 {
            assert!(repeats.insert(event));
        }
        assert!(!repeats.insert(1), "the half before is still known");
        for event in 0..EVENTS_MAX as u64 {
            repeats.insert(1_000_000 + event);
        }
        assert!(repeats.insert(1));
    }
}
