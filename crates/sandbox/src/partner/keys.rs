//! A partner's keys: what it publishes, what it signs with, and how they change.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::SigningKey;
use serde_json::{Value, json};

use crate::{NoEntropy, entropy};

/// The keys of a partner.
#[derive(Debug)]
pub(crate) struct Keys(Mutex<Vec<Key>>);

/// A key under the name that it is published with.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) key: SigningKey,
    pub(super) kid: String,
    seed: Seed,
}

impl Named {
    fn new() -> Result<Self, NoEntropy> {
        let seed = entropy::random()?;
        let key = SigningKey::from_seed(seed);
        let kid = key.key_id().to_string();
        Ok(Self { key, kid, seed: Seed(seed) })
    }

    fn to_jwk(&self) -> Value {
        let mut jwk = self.key.public().to_jwk();
        jwk["kid"] = self.kid.clone().into();
        jwk
    }
}

#[derive(Debug, Clone)]
struct Key {
    named: Named,
    use_from: Timestamp,
    drop_at: Option<Timestamp>,
}

/// What a key grows from.
#[derive(Clone, Copy)]
struct Seed([u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seed(..)")
    }
}

/// What happens to the old key of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OldKey {
    /// It is dropped when the overlap ends.
    Ends,
    /// It goes on under another name.
    Renamed,
    /// It stays.
    Stays,
}

/// What a rotation did.
#[derive(Debug)]
pub(super) struct Rotated {
    pub(super) kid: String,
    pub(super) previous: String,
}

impl Keys {
    pub(super) fn new(now: Timestamp) -> Result<Self, NoEntropy> {
        let first = Key { named: Named::new()?, use_from: now, drop_at: None };
        Ok(Self(Mutex::new(vec![first])))
    }

    fn living(&self, now: Timestamp) -> Vec<Key> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|it| it.drop_at.is_none_or(|it| now < it));
        keys.clone()
    }

    /// The set that is published.
    pub(super) fn published(&self, now: Timestamp) -> Value {
        let keys: Vec<_> = self.living(now).iter().map(|it| it.named.to_jwk()).collect();
        json!({"keys": keys})
    }

    /// The key for the request with this number: the newest one in use.
    pub(super) fn newest(&self, now: Timestamp) -> Option<Named> {
        self.living(now).into_iter().rev().find(|it| it.use_from <= now).map(|it| it.named)
    }

    /// The oldest key that still lives.
    pub(super) fn oldest(&self, now: Timestamp) -> Option<Named> {
        self.living(now).into_iter().next().map(|it| it.named)
    }

    /// The newest private key as PEM (RFC 8410): what should be in no repository.
    pub(super) fn private_pem(&self, now: Timestamp) -> Option<String> {
        let seed = self.living(now).into_iter().next_back()?.named.seed;
        let head = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
        let body = STANDARD.encode([&head[..], &seed.0].concat());
        let label = concat!("PRIVATE", " KEY");
        Some(format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"))
    }

    /// Publishes a new key beside the old one; it is used a moment later, when everybody can know it.
    pub(super) fn rotate(
        &self,
        now: Timestamp,
        overlap: Period,
        old: OldKey,
    ) -> Result<Rotated, NoEntropy> {
        let mut named = Named::new()?;
        let lead = Period::from_millis((overlap.millis() / 4).min(LEAD_MS_MAX));
        let _living = self.living(now);
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = keys.last().map(|it| it.named.kid.clone()).unwrap_or_default();
        if let Some(last) = keys.last().filter(|_| old == OldKey::Renamed) {
            (named.key, named.seed) = (last.named.key.clone(), last.named.seed);
        }
        if old != OldKey::Stays {
            for it in keys.iter_mut().filter(|it| it.drop_at.is_none()) {
                it.drop_at = Some(now + overlap);
            }
        }
        if KEYS_MAX <= keys.len() {
            keys.remove(0);
        }
        let kid = named.kid.clone();
        keys.push(Key { named, use_from: now + lead, drop_at: None });
        Ok(Rotated { kid, previous })
    }

    /// Drops every key but the newest: what an operator does after a failed rotation.
    pub(super) fn tidy(&self) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = keys.pop() {
            *keys = vec![last];
        }
    }
}

const LEAD_MS_MAX: u64 = 1_500;
const KEYS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_overlap_and_then_only_the_new_one_lives() {
        let at = Timestamp::from_millis;
        let keys = Keys::new(at(0)).unwrap();
        let old = keys.newest(at(0)).unwrap().kid;
        let rotated = keys.rotate(at(100), Period::from_seconds(2), OldKey::Ends).unwrap();
        assert_eq!(rotated.previous, old);
        let count = |now| keys.published(at(now))["keys"].as_array().unwrap().len();
        assert_eq!(count(101), 2, "both are published");
        assert_eq!(keys.newest(at(101)).unwrap().kid, old, "the new one is not used yet");
        assert_eq!(keys.newest(at(700)).unwrap().kid, rotated.kid);
        assert_eq!(count(2_100), 1, "the overlap is over");
    }

    #[test]
    fn an_old_key_that_stays_is_published_for_ever() {
        let at = Timestamp::from_millis;
        let keys = Keys::new(at(0)).unwrap();
        let rotated = keys.rotate(at(0), Period::from_seconds(2), OldKey::Stays).unwrap();
        assert_eq!(keys.oldest(at(1_000_000)).unwrap().kid, rotated.previous);
        keys.tidy();
        assert_eq!(keys.oldest(at(1_000_000)).unwrap().kid, rotated.kid);
    }
}
