//! The keys of an issuer, kept for a while.

use std::time::{Duration, Instant};

use countersign_seal::jwk::VerifyingKey;
use serde_json::Value;
use tokio::sync::Mutex;

use super::Resource;
use crate::clock;
use crate::partner::JwtFault;

/// Key sets, each kept for as long as is declared.
#[derive(Default)]
pub(super) struct Keys(Mutex<Vec<Kept>>);

struct Kept {
    url: String,
    read: Instant,
    keys: Vec<Value>,
}

/// A published key, and as it verifies.
pub(super) struct Key {
    pub(super) jwk: Value,
    pub(super) verifying: VerifyingKey,
}

impl Resource {
    /// The keys at an address that bear this name, or every one for a token that names none.
    pub(super) async fn keys_of(&self, url: &str, kid: Option<&str>) -> Vec<Key> {
        // One at a time: a flood of tokens waits for one answer.
        let mut all = self.keys.0.lock().await;
        let index = all.iter().position(|it| it.url == url);
        let kept = index.map(|it| (&all[it].keys, all[it].read));
        let is_fresh = kept.as_ref().is_some_and(|it| self.is_fresh(it.1));
        let is_known = |keys: &[Value]| keys.iter().any(|it| it["kid"].as_str() == kid);
        let anew = self.has(JwtFault::RefetchesForEveryUnknownKey)
            && !kept.as_ref().is_some_and(|it| is_known(it.0));
        if !is_fresh || anew {
            let mut keys = self.fetch(url).await.unwrap_or_default();
            if self.has(JwtFault::KeepsWithdrawnKeys)
                && let Some(index) = index
            {
                let old = all[index].keys.iter().filter(|it| !keys.contains(it)).cloned();
                let old: Vec<Value> = old.take(KEYS_MAX).collect();
                keys.extend(old);
            }
            let kept = Kept { url: url.to_owned(), read: clock::steady(), keys };
            match index {
                Some(index) => all[index] = kept,
                None if all.len() < URLS_MAX => all.push(kept),
                None => all[0] = kept,
            }
        }
        let kept = all.iter().find(|it| it.url == url);
        let keys = kept.map(|it| it.keys.clone()).unwrap_or_default();
        let named = keys.into_iter().filter(|it| kid.is_none() || it["kid"].as_str() == kid);
        let read = |jwk: Value| Some(Key { verifying: VerifyingKey::from_jwk(&jwk).ok()?, jwk });
        named.filter_map(read).collect()
    }

    fn is_fresh(&self, read: Instant) -> bool {
        let age = clock::steady().saturating_duration_since(read);
        self.has(JwtFault::NeverReadsKeysAgain) || age < super::KEPT_FOR
    }

    /// A key set, as it is published now.
    pub(super) async fn fetch(&self, url: &str) -> Option<Vec<Value>> {
        let asking = self.http.get(url).send();
        let response = tokio::time::timeout(FETCH_MAX, asking).await.ok()?.ok()?;
        let text = tokio::time::timeout(FETCH_MAX, response.bytes()).await.ok()?.ok()?;
        if SET_BYTES_MAX < text.len() {
            return None;
        }
        let set: Value = serde_json::from_slice(&text).ok()?;
        Some(set.get("keys")?.as_array()?.iter().take(KEYS_MAX).cloned().collect())
    }
}

const FETCH_MAX: Duration = Duration::from_secs(2);
const SET_BYTES_MAX: usize = 256 * 1024;
const KEYS_MAX: usize = 64;
const URLS_MAX: usize = 8;
