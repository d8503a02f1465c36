//! The transmitter of security events that the harness plays: one for each integration.
//!
//! Source: SSF 1.0 (transmitter configuration metadata), RFC 7517.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::keys::{Alg, KeyPair};
use super::{Booth, Harness, Reply, Seen};

/// A transmitter: its issuer, and the keys that it publishes.
#[derive(Debug)]
pub struct Transmitter {
    issuer: String,
    keys: Arc<Mutex<BTreeMap<Alg, Arc<KeyPair>>>>,
    _booth: Booth,
}

impl Transmitter {
    /// Its issuer: the `iss` of each event.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key of an algorithm; the first call makes and publishes it. None where this machine gives
    /// no randomness.
    pub fn key(&self, alg: Alg) -> Option<Arc<KeyPair>> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get(&alg) {
            return Some(Arc::clone(key));
        }
        let key = Arc::new(KeyPair::generate(alg)?);
        keys.insert(alg, Arc::clone(&key));
        Some(key)
    }
}

/// The transmitters that were ever asked for.
#[derive(Debug, Default)]
pub(super) struct Transmitters(Mutex<BTreeMap<String, Arc<Transmitter>>>);

impl Harness {
    /// The transmitter for an integration: the same one each time.
    pub fn transmitter(&self, integration: &str) -> Arc<Transmitter> {
        let mut all = self.transmitters.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(it) = all.get(integration) {
            return Arc::clone(it);
        }
        let name = format!("transmitter-{integration}");
        let issuer = format!("{}/{name}", self.url());
        let keys: Arc<Mutex<BTreeMap<Alg, Arc<KeyPair>>>> = Arc::default();
        let published = (issuer.clone(), Arc::clone(&keys));
        let booth = self.open(&name, move |seen: &Seen| answer(seen, &published.0, &published.1));
        let transmitter = Arc::new(Transmitter { issuer, keys, _booth: booth });
        all.insert(integration.to_owned(), Arc::clone(&transmitter));
        transmitter
    }
}

fn answer(seen: &Seen, issuer: &str, keys: &Mutex<BTreeMap<Alg, Arc<KeyPair>>>) -> Reply {
    let value: Value = match (seen.method.as_str(), seen.path.as_str()) {
        ("GET", "/.well-known/ssf-configuration") => json!({
            "spec_version": "1_0",
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/jwks.json"),
            "delivery_methods_supported": ["urn:ietf:rfc:8935"],
        }),
        ("GET", "/jwks.json") => {
            let keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
            json!({"keys": keys.values().map(|it| it.jwk()).collect::<Vec<_>>()})
        }
        ("GET", _) => return Reply::status(404),
        _ => return Reply::status(405),
    };
    Reply::json(&value).header("cache-control", "max-age=1")
}
