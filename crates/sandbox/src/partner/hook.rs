//! The endpoints at which a partner receives events: how each verifies, and with which keys.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Direction, EventSubscription, WebhookKey};
use countersign_model::time::{Period, Timestamp};
use countersign_seal::PublicKey;
use countersign_seal::scheme::{self, Scheme, Verifier};

use super::HookFault;
use super::fault::{Fault, Faults};
use crate::{StartError, entropy};

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Hook {
    /// The subscription that delivers to it.
    pub(super) subscription: String,
    /// Its address, as declared.
    pub(super) url: String,
    /// How deliveries are signed.
    pub(super) scheme: &'static dyn Scheme,
    /// How old or early a delivery may be, in seconds.
    pub(super) tolerance_seconds: i64,
    /// How long an old key verifies beside the new one.
    overlap: Period,
    /// The shared secret that it began with, as the scheme writes it.
    secret: Option<String>,
    keys: Mutex<Vec<Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    key: Verifier,
    drop_at: Option<Timestamp>,
}

impl Hook {
    fn new(event: &EventSubscription, platform: &[PublicKey]) -> Result<Option<Self>, StartError> {
        let word = serde_json::to_value(event.signing.scheme).unwrap_or_default();
        let Some(scheme) = word.as_str().and_then(scheme::find) else { return Ok(None) };
        let (secret, keys) = match event.signing.key {
            WebhookKey::Ed25519 => (None, platform.iter().copied().map(Verifier::Public).collect()),
            WebhookKey::HmacSha256 => {
                let secret = scheme.write_secret(&entropy::random::<32>()?).to_string();
                let read = scheme.secret(&secret).map(Verifier::Shared);
                (Some(secret), read.into_iter().collect::<Vec<_>>())
            }
        };
        let window = event.signing.replay_window.seconds();
        let overlap = event.signing.next_key.as_ref().map(|it| it.overlap);
        Ok(Some(Self {
            subscription: event.id.to_string(),
            url: event.endpoint.to_string(),
            scheme,
            tolerance_seconds: i64::try_from(window).unwrap_or(300),
            overlap: overlap.unwrap_or_default(),
            secret,
            keys: Mutex::new(keys.into_iter().map(|key| Known { key, drop_at: None }).collect()),
        }))
    }

    /// The keys that verify at this moment; by a fault also those whose time is over.
    pub(super) fn keys(&self, now: Timestamp, faults: &Faults) -> Vec<Verifier> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let keeps = faults.has(Fault::Hook(HookFault::KeepsOldWebhookKey));
        let live = keys.iter().filter(|it| keeps || it.drop_at.is_none_or(|it| now < it));
        live.map(|it| it.key.clone()).collect()
    }

    /// From now on this key verifies, and the others until the overlap is over.
    pub(super) fn replace(&self, key: Verifier, now: Timestamp, faults: &Faults) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let overlap = if faults.has(Fault::Hook(HookFault::KnowsOneWebhookKey)) {
            Period::default()
        } else {
            self.overlap
        };
        for it in keys.iter_mut().filter(|it| it.drop_at.is_none()) {
            it.drop_at = Some(now + overlap);
        }
        if KEYS_MAX <= keys.len() {
            keys.remove(0);
        }
        keys.push(Known { key, drop_at: None });
    }

    /// Reads the next key as it is configured: a secret of this scheme, or `whpk_…`.
    pub(super) fn read(
        &self,
        text: &str,
        is_public: IsPublic,
        faults: &Faults,
    ) -> Option<Verifier> {
        if is_public == IsPublic::Yes {
            let bytes = STANDARD.decode(text.strip_prefix("whpk_")?).ok()?;
            return PublicKey::from_slice(&bytes).ok().map(Verifier::Public);
        }
        if faults.has(Fault::Hook(HookFault::TakesWeakWebhookSecret)) {
            let bytes = [text.as_bytes(), b"!"].concat();
            let read = self.scheme.secret(text).ok();
            let read = read.or_else(|| scheme::Shared::from_bytes(&bytes).ok());
            return read.map(Verifier::Shared);
        }
        if text.len() < SECRET_CHARS_MIN {
            return None;
        }
        self.scheme.secret(text).ok().map(Verifier::Shared)
    }
}

/// Which kind of key is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IsPublic {
    No,
    Yes,
}

/// The endpoints that a manifest declares.
pub(super) fn hooks(manifest: &Manifest, platform: &[PublicKey]) -> Result<Vec<Hook>, StartError> {
    let out = manifest.events.iter().filter(|it| it.direction == Direction::Out);
    let all: Result<Vec<_>, _> = out.map(|it| Hook::new(it, platform)).collect();
    Ok(all?.into_iter().flatten().collect())
}

impl Hook {
    /// The shared secret that it began with.
    pub(super) fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }
}

const KEYS_MAX: usize = 16;
const SECRET_CHARS_MIN: usize = 24;
