//! Clients: what may be registered, and their published keys.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use countersign_seal::jwt::{VerifyingKey, parse_set};
use futures_util::StreamExt as _;

use crate::clock;
use crate::registration::ClientRegistration;

/// Why a registration is not taken.
pub(super) fn check(client: &ClientRegistration) -> Result<(), &'static str> {
    if client.client_id.is_empty() || 200 < client.client_id.len() {
        return Err("its id is empty or too long");
    }
    let has_secret = client.secret_sha256.is_some();
    match client.auth.as_str() {
        "private_key_jwt" if client.jwks_uri.is_none() && client.keys.is_empty() => {
            return Err("it has no key");
        }
        "private_key_jwt" if has_secret => return Err("it has a key and a secret"),
        "client_secret_basic" | "client_secret_post" if !has_secret => {
            return Err("it has no secret");
        }
        "none" if has_secret || client.grant_types.contains("client_credentials") => {
            return Err("it is public, and has a secret or acts for itself");
        }
        "none" | "private_key_jwt" | "client_secret_basic" | "client_secret_post" => {}
        _ => return Err("its way to prove itself is not known"),
    }
    if client.keys.iter().any(|it| VerifyingKey::from_jwk(it).is_err()) {
        return Err("one of its keys is not one");
    }
    if client.token_ttl_seconds == 0 || TTL_SECONDS_MAX < client.token_ttl_seconds {
        return Err("its tokens live for no time, or for too long");
    }
    Ok(())
}

/// What the platform accepts as proof of a client: registered key ids, or the address where keys are published.
pub(super) fn key_names(client: &ClientRegistration) -> Vec<String> {
    let kids = client.keys.iter().filter_map(|it| it.get("kid")).filter_map(|it| it.as_str());
    let published = client.jwks_uri.iter().map(|it| format!("jwks:{it}"));
    kids.map(str::to_owned).chain(published).collect()
}

/// Published keys, kept for a second.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(Mutex<BTreeMap<String, (Instant, Vec<VerifyingKey>)>>);

/// How fresh published keys have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// At most a second old.
    Kept,
    /// Fetched now, unless that was done a moment ago: for a key that is not known yet.
    New,
}

impl KeyCache {
    /// The keys at an address; none if they cannot be had.
    pub(super) async fn keys(
        &self,
        http: &reqwest::Client,
        url: &str,
        freshness: Freshness,
    ) -> Vec<VerifyingKey> {
        let limit = match freshness {
            Freshness::Kept => KEPT_FOR,
            Freshness::New => NOT_AGAIN_WITHIN,
        };
        let found = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get(url)
                .filter(|it| clock::steady().saturating_duration_since(it.0) < limit)
                .map(|it| it.1.clone())
        };
        if let Some(keys) = found {
            return keys;
        }
        let asked = clock::steady();
        let keys = fetch(http, url).await.unwrap_or_default();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if URLS_MAX <= kept.len() {
            kept.clear();
        }
        kept.insert(url.to_owned(), (asked, keys.clone()));
        keys
    }
}

async fn fetch(http: &reqwest::Client, url: &str) -> Option<Vec<VerifyingKey>> {
    let response = http.get(url).send().await.ok()?;
    if response.status() != reqwest::StatusCode::OK {
        return None;
    }
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.ok()?);
        if SET_BYTES_MAX < body.len() {
            return None;
        }
    }
    parse_set(&body).ok()
}

const KEPT_FOR: Duration = Duration::from_secs(1);
const NOT_AGAIN_WITHIN: Duration = Duration::from_millis(50);
const URLS_MAX: usize = 1_000;
const SET_BYTES_MAX: usize = 256 * 1024;
const TTL_SECONDS_MAX: u64 = 365 * 86_400;
