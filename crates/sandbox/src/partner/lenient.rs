//! What a receiver believes: what is rightly signed, and by its faults more than that.

use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_seal::scheme::{
    Arrived, Place, Sealed, Shared, Verifier, WebhookError, Window, github,
};
use serde_json::Value;

use super::fault::{Fault, Faults};
use super::hook::Hook;
use super::{HookFault, Inner};
use crate::clock;

/// What a long list of signatures does to a receiver with a fault.
pub(super) async fn harmed(
    hook: &Hook,
    given: &Arrived<'_>,
    faults: &Faults,
) -> Option<StatusCode> {
    let Place::Header(name) = hook.scheme.facts().signature else { return None };
    let header = given.headers.iter().find(|it| it.0 == name)?;
    if header.1.len() < LONG_BYTES {
        return None;
    }
    if faults.has(Fault::Hook(HookFault::SlowOnManySignatures)) {
        tokio::time::sleep(SLOW).await;
    }
    let breaks = faults.has(Fault::Hook(HookFault::BreaksOnManySignatures));
    breaks.then_some(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Whether a receiver believes a message: rightly so, or by one of its faults.
pub(super) fn is_accepted(inner: &Inner, hook: &Hook, given: &Arrived<'_>) -> bool {
    let faults = &inner.faults;
    let has = |fault| faults.has(Fault::Hook(fault));
    let now = clock::now();
    let mut keys = hook.keys(now, faults);
    if has(HookFault::SharesWebhookKeys) {
        keys.extend(inner.hooks.iter().flat_map(|it| it.keys(now, faults)));
    }
    if has(HookFault::TakesPublicKeyAsSecret) {
        keys.extend(keys.clone().iter().filter_map(secret_of).map(Verifier::Shared));
    }
    let reader = Reader { hook, keys: &keys, now: now.seconds() };
    let first = has(HookFault::ReadsFirstSignatureOnly).then(|| first_only(given));
    let seen = match &first {
        Some(headers) => reader.verify(&Arrived { headers, ..*given }),
        None => reader.verify(given),
    };
    match seen {
        Ok(()) => true,
        Err(error) => reader.lenient(given, error, faults),
    }
}

/// What somebody who takes a public key for a secret has.
fn secret_of(key: &Verifier) -> Option<Shared> {
    match key {
        Verifier::Public(it) => Shared::from_bytes(it.as_bytes()).ok(),
        Verifier::Shared(_) => None,
    }
}

struct Reader<'a> {
    hook: &'a Hook,
    keys: &'a [Verifier],
    now: i64,
}

impl Reader<'_> {
    fn verify(&self, given: &Arrived<'_>) -> Result<(), WebhookError> {
        self.within(given, self.now, self.hook.tolerance_seconds)
    }

    fn within(
        &self,
        given: &Arrived<'_>,
        now_seconds: i64,
        tolerance_seconds: i64,
    ) -> Result<(), WebhookError> {
        let window = Window { now_seconds, tolerance_seconds };
        self.hook.scheme.verify(given, self.keys, window).map(|_| ())
    }

    fn signature<'a>(&self, given: &Arrived<'a>) -> Option<&'a str> {
        let Place::Header(name) = self.hook.scheme.facts().signature else { return None };
        let header = given.headers.iter().find(|it| it.0 == name)?;
        Some(header.1.as_str()).filter(|it| !it.is_empty())
    }

    /// Whether one of the faults makes up for what is wrong.
    fn lenient(&self, given: &Arrived<'_>, error: WebhookError, faults: &Faults) -> bool {
        if faults.has(Fault::Hook(HookFault::AcceptsLegacySha1)) && self.is_legacy(given) {
            return true;
        }
        let Some(signature) = self.signature(given) else {
            return faults.has(Fault::AcceptsUnsignedWebhook);
        };
        let any_time = || self.within(given, self.now, i64::MAX / 4).is_ok();
        match error {
            WebhookError::TooOld => return faults.has(Fault::AcceptsStaleTimestamp) && any_time(),
            WebhookError::TooNew => return faults.has(Fault::AcceptsFutureTimestamp) && any_time(),
            _ => {}
        }
        let has = |fault| faults.has(Fault::Hook(fault));
        if has(HookFault::AcceptsDottedId) && self.is_dotted_and_signed(given) {
            return true;
        }
        if has(HookFault::AcceptsUnknownVersion)
            && self.verify(&Arrived { headers: &known_versions(given), ..*given }).is_ok()
        {
            return true;
        }
        if faults.has(Fault::AcceptsWrongKey) && is_well_formed(signature) {
            return true;
        }
        if faults.has(Fault::AcceptsTamperedBody)
            && rewritten(given.body)
                .is_some_and(|body| self.verify(&Arrived { body: &body, ..*given }).is_ok())
        {
            return true;
        }
        faults.has(Fault::TimestampNotSigned) && self.is_signed_at_another_time(given)
    }

    /// A right `sha1=`, in the old header or in that of the scheme.
    fn is_legacy(&self, given: &Arrived<'_>) -> bool {
        let old = given.headers.iter().find(|it| it.0 == github::LEGACY_SIGNATURE);
        let Some(mac) = old.and_then(|it| it.1.strip_prefix("sha1=")) else { return false };
        self.keys.iter().any(|key| {
            let secret = match key {
                Verifier::Public(_) => secret_of(key),
                Verifier::Shared(it) => Some(it.clone()),
            };
            secret.is_some_and(|it| it.legacy_mac(given.body) == mac)
        })
    }

    /// Standard Webhooks as one would verify it who forgot about full stops.
    fn is_dotted_and_signed(&self, given: &Arrived<'_>) -> bool {
        let text = |name: &str| {
            given.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str()).unwrap_or_default()
        };
        let (id, time) = (text("webhook-id"), text("webhook-timestamp"));
        let fresh = time
            .parse::<i64>()
            .is_ok_and(|it| (self.now - it).abs() <= self.hook.tolerance_seconds);
        let message = [id.as_bytes(), b".", time.as_bytes(), b".", given.body].concat();
        let mut entries = text("webhook-signature").split(' ').filter_map(|it| it.split_once(','));
        fresh
            && entries.any(|(version, signature)| {
                let Ok(signature) = STANDARD.decode(signature) else { return false };
                self.keys.iter().any(|key| match key {
                    Verifier::Public(it) => {
                        version == "v1a" && it.verify(&message, &signature).is_ok()
                    }
                    Verifier::Shared(it) => version == "v1" && it.verifies(&message, &signature),
                })
            })
    }

    /// The signature fits the message with some other time within a quarter of an hour.
    fn is_signed_at_another_time(&self, given: &Arrived<'_>) -> bool {
        (self.now - TRIED_SECONDS..=self.now + TRIED_SECONDS).any(|time| {
            let mut moved = Sealed { headers: given.headers.to_vec(), body: Vec::new() };
            self.hook.scheme.set_time(&mut moved, Some(&time.to_string()));
            self.within(&Arrived { headers: &moved.headers, ..*given }, time, 0).is_ok()
        })
    }
}

/// The headers with the first signature alone.
fn first_only(given: &Arrived<'_>) -> Vec<(String, String)> {
    let mut headers = given.headers.to_vec();
    for (name, value) in &mut headers {
        let parts: Vec<&str> = value.split(',').collect();
        let first = match name.as_str() {
            "webhook-signature" => value.split(' ').next().unwrap_or_default().to_owned(),
            "stripe-signature" => parts[..parts.len().min(2)].join(","),
            "signature" | "signature-input" => {
                value.split(", ").next().unwrap_or_default().to_owned()
            }
            _ => continue,
        };
        *value = first;
    }
    headers
}

/// The headers, with the versions that the schemes know in place of the one that none knows.
fn known_versions(given: &Arrived<'_>) -> Vec<(String, String)> {
    let mut headers = given.headers.to_vec();
    for (name, value) in &mut headers {
        let known = match name.as_str() {
            "webhook-signature" => {
                // The two versions differ in the length of their signatures.
                let version = if 60 < value.len() { "v1a," } else { "v1," };
                value.replace("v9,", version)
            }
            "stripe-signature" => value.replace("v9=", "v1="),
            "x-slack-signature" => value.replace("v9=", "v0="),
            "x-hub-signature-256" => value.replace("v9=", "sha256="),
            _ => continue,
        };
        *value = known;
    }
    headers
}

/// Some part reads as a signature: 32 bytes in hexadecimal, or 32 or 64 in base64.
fn is_well_formed(signature: &str) -> bool {
    let is_unknown = ["v9,", "v9="].iter().any(|it| signature.contains(it));
    !is_unknown
        && signature.split([' ', ',', ':']).any(|it| {
            let it = it.strip_prefix("sha256=").or_else(|| it.strip_prefix("v0=")).unwrap_or(it);
            let it = it.strip_prefix("v1=").unwrap_or(it);
            let is_hex = it.len() == 64 && it.bytes().all(|it| it.is_ascii_hexdigit());
            is_hex || STANDARD.decode(it).is_ok_and(|it| [32, 64].contains(&it.len()))
        })
}

/// The body as the receiver itself would write it.
fn rewritten(body: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    serde_json::to_vec(&value).ok()
}

const LONG_BYTES: usize = 16 * 1_024;
const SLOW: Duration = Duration::from_secs(4);
const TRIED_SECONDS: i64 = 900;
