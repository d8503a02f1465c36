//! Standard Webhooks: messages signed over id, time and body.
//!
//! Source: Standard Webhooks specification 1.0, "Signature scheme"; `v1` is HMAC-SHA-256, `v1a`
//! is Ed25519.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::{
    Arrived, Draft, Entry, Facts, Place, SIGNATURE_BYTES_MAX, SIGNATURES_MAX, Scheme, Sealed,
    Shared, Signer, Verified, Verifier, Window, seconds,
};
pub use super::{InvalidWebhookKey, WebhookError};
use crate::encoding::{base64_decode, base64_encode};
use crate::key::{PublicKey, SigningKey};

/// The header with the message's id.
pub const ID: &str = "webhook-id";
/// The header with the time of sending, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub const SIGNATURE: &str = "webhook-signature";

/// A key of a sender.
#[derive(Clone)]
pub enum SendKey {
    /// A shared secret, for `v1`.
    Secret(Secret),
    /// A private key, for `v1a`.
    Private(SigningKey),
}

/// A key of a receiver.
#[derive(Debug, Clone)]
pub enum Key {
    /// A shared secret, for `v1`.
    Secret(Secret),
    /// A public key, for `v1a`.
    Public(PublicKey),
}

/// A shared secret of 24 to 64 bytes, written `whsec_` and base64.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The secret with these random bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidWebhookKey> {
        if !(24..=64).contains(&bytes.len()) {
            return Err(InvalidWebhookKey);
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// Reads `whsec_…`.
    pub fn parse(text: &str) -> Result<Self, InvalidWebhookKey> {
        Self::from_bytes(&Zeroizing::new(decode(text, SECRET_PREFIX)?))
    }

    /// The secret itself, to hand to the other side once.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{SECRET_PREFIX}{}", base64_encode(&self.0)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

impl fmt::Debug for SendKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SendKey(..)")
    }
}

impl SendKey {
    /// Reads `whsec_…` or `whsk_…` (a seed, or a seed followed by its public key).
    pub fn parse(text: &str) -> Result<Self, InvalidWebhookKey> {
        if text.starts_with(SECRET_PREFIX) {
            return Secret::parse(text).map(Self::Secret);
        }
        let bytes = Zeroizing::new(decode(text, PRIVATE_PREFIX)?);
        let (seed, public) = bytes.split_first_chunk::<32>().ok_or(InvalidWebhookKey)?;
        let key = SigningKey::from_seed(*seed);
        if !public.is_empty() && public != key.public().as_bytes() {
            return Err(InvalidWebhookKey);
        }
        Ok(Self::Private(key))
    }
}

impl Key {
    /// Reads `whsec_…` or `whpk_…`.
    pub fn parse(text: &str) -> Result<Self, InvalidWebhookKey> {
        if text.starts_with(SECRET_PREFIX) {
            return Secret::parse(text).map(Self::Secret);
        }
        PublicKey::from_slice(&decode(text, PUBLIC_PREFIX)?)
            .map(Self::Public)
            .map_err(|_| InvalidWebhookKey)
    }
}

/// A public key as receivers configure it: `whpk_…`.
pub fn public_key_text(key: &PublicKey) -> String {
    format!("{PUBLIC_PREFIX}{}", base64_encode(key.as_bytes()))
}

/// One entry for the signature header: `v1,…` or `v1a,…`.
///
/// During a rotation, join the entries of both keys with a space. Refuses an id with a full stop:
/// the receiver could read the id and the time another way.
pub fn sign(
    id: &str,
    timestamp_seconds: i64,
    body: &[u8],
    key: &SendKey,
) -> Result<String, WebhookError> {
    check_id(id)?;
    let message = signed_bytes(id, &timestamp_seconds.to_string(), body);
    Ok(match key {
        SendKey::Secret(secret) => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.0);
            format!("v1,{}", base64_encode(hmac::sign(&key, &message).as_ref()))
        }
        SendKey::Private(key) => format!("v1a,{}", base64_encode(&key.sign(&message))),
    })
}

/// The three headers of a message, as they arrived.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `webhook-id`
    pub id: Option<&'a str>,
    /// `webhook-timestamp`
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`
    pub signature: Option<&'a str>,
}

/// Whether one of `keys` signed this message, at most `tolerance_seconds` away from now.
pub fn verify(
    headers: Headers<'_>,
    body: &[u8],
    keys: &[Key],
    now_seconds: i64,
    tolerance_seconds: i64,
) -> Result<(), WebhookError> {
    let id = present(headers.id, ID)?;
    let timestamp = present(headers.timestamp, TIMESTAMP)?;
    let signatures = present(headers.signature, SIGNATURE)?;
    check_id(id)?;
    let sent = seconds(timestamp, TIMESTAMP)?;
    let signatures = entries(signatures)?;
    Window { now_seconds, tolerance_seconds }.check(sent)?;
    let message = signed_bytes(id, timestamp, body);
    let matches = |version: &str, signature: &[u8]| {
        keys.iter().any(|key| match (version, key) {
            // `hmac::verify` compares in constant time.
            ("v1", Key::Secret(secret)) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.0);
                hmac::verify(&key, &message, signature).is_ok()
            }
            ("v1a", Key::Public(key)) => key.verify(&message, signature).is_ok(),
            _ => false,
        })
    };
    if signatures.iter().any(|(version, signature)| matches(version, signature)) {
        Ok(())
    } else {
        Err(WebhookError::NoMatchingSignature)
    }
}

/// Standard Webhooks as one scheme among others.
#[derive(Debug, Clone, Copy)]
pub struct StandardWebhooks;

const FACTS: Facts = Facts {
    time: Some(Place::Header(TIMESTAMP)),
    id: Place::Header(ID),
    id_signed: true,
    signature: Place::Header(SIGNATURE),
    shared: true,
    private: true,
    several: true,
    versions: true,
};

impl Scheme for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn secret(&self, text: &str) -> Result<Shared, InvalidWebhookKey> {
        Shared::from_bytes(&Secret::parse(text)?.0)
    }

    fn write_secret(&self, bytes: &[u8]) -> Zeroizing<String> {
        Zeroizing::new(format!("{SECRET_PREFIX}{}", base64_encode(bytes)))
    }

    /// Whatever the id: a check has to be able to send one that [`sign`] refuses.
    fn entry(&self, draft: &Draft<'_>, key: &Signer) -> Result<Entry, WebhookError> {
        let message = signed_bytes(draft.id, &draft.time_seconds.to_string(), draft.body);
        Ok(match key {
            Signer::Private(key) => Entry::new("v1a", base64_encode(&key.sign(&message))),
            Signer::Shared(secret) => Entry::new("v1", base64_encode(&secret.mac(&message))),
        })
    }

    fn wrap(&self, draft: &Draft<'_>, entries: &[Entry]) -> Sealed {
        let time = draft.time_seconds.to_string();
        let mut sealed = Sealed::new(draft.body, &[(ID, draft.id), (TIMESTAMP, &time)]);
        if !entries.is_empty() {
            let all = entries.iter().map(|it| format!("{},{}", it.label, it.signature));
            sealed.set(SIGNATURE, Some(&all.collect::<Vec<_>>().join(" ")));
        }
        sealed
    }

    fn set_time(&self, sealed: &mut Sealed, time: Option<&str>) {
        sealed.set(TIMESTAMP, time);
    }

    fn verify(
        &self,
        arrived: &Arrived<'_>,
        keys: &[Verifier],
        window: Window,
    ) -> Result<Verified, WebhookError> {
        let (id, timestamp) = (arrived.header(ID)?, arrived.header(TIMESTAMP)?);
        let headers = Headers {
            id: Some(id),
            timestamp: Some(timestamp),
            signature: Some(arrived.header(SIGNATURE)?),
        };
        let keys = keys.iter().filter_map(|it| match it {
            Verifier::Public(it) => Some(Key::Public(*it)),
            Verifier::Shared(it) => Secret::from_bytes(&it.0).ok().map(Key::Secret),
        });
        let keys: Vec<Key> = keys.collect();
        verify(headers, arrived.body, &keys, window.now_seconds, window.tolerance_seconds)?;
        Ok(Verified { id: Some(id.to_owned()), time_seconds: seconds(timestamp, TIMESTAMP).ok() })
    }
}

fn decode(text: &str, prefix: &str) -> Result<Vec<u8>, InvalidWebhookKey> {
    text.strip_prefix(prefix).and_then(base64_decode).ok_or(InvalidWebhookKey)
}

fn present<'a>(value: Option<&'a str>, header: &'static str) -> Result<&'a str, WebhookError> {
    match value {
        None | Some("") => Err(WebhookError::MissingHeader { header }),
        Some(value) => Ok(value),
    }
}

fn check_id(id: &str) -> Result<(), WebhookError> {
    if id.contains('.') {
        return Err(WebhookError::AmbiguousId);
    }
    let plain = id.bytes().all(|byte| byte.is_ascii_graphic());
    if id.is_empty() || ID_BYTES_MAX < id.len() || !plain {
        return Err(WebhookError::Malformed { header: ID });
    }
    Ok(())
}

/// The readable entries; versions that we do not know are left to others.
fn entries(header: &str) -> Result<Vec<(&str, Vec<u8>)>, WebhookError> {
    let malformed = WebhookError::Malformed { header: SIGNATURE };
    if SIGNATURE_BYTES_MAX < header.len() {
        return Err(malformed);
    }
    let mut entries = Vec::new();
    for entry in header.split(' ').filter(|entry| !entry.is_empty()) {
        if SIGNATURES_MAX <= entries.len() {
            return Err(malformed);
        }
        let (version, signature) = entry.split_once(',').ok_or(malformed)?;
        // An entry that cannot be decoded matches nothing; another one still may.
        entries.push((version, base64_decode(signature).unwrap_or_default()));
    }
    Ok(entries)
}

fn signed_bytes(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

const SECRET_PREFIX: &str = "whsec_";
const PRIVATE_PREFIX: &str = "whsk_";
const PUBLIC_PREFIX: &str = "whpk_";
const ID_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"type":"user.created"}"#;
    const NOW: i64 = 1_700_000_000;

    fn secret(number: u8) -> Secret {
        Secret::from_bytes(&[number; 24]).unwrap()
    }

    #[test]
    fn each_thing_that_is_wrong_has_its_own_name() {
        let good = sign("msg_1", NOW, BODY, &SendKey::Secret(secret(1))).unwrap();
        let many = [good.as_str(); 33].join(" ");
        let now = NOW.to_string();
        let keys = [Key::Secret(secret(1))];
        let full = Headers { id: Some("msg_1"), timestamp: Some(&now), signature: Some(&good) };
        let malformed = |header| Err(WebhookError::Malformed { header });
        let table = [
            ("good", full, Ok(())),
            (
                "no id",
                Headers { id: None, ..full },
                Err(WebhookError::MissingHeader { header: ID }),
            ),
            (
                "empty time",
                Headers { timestamp: Some(""), ..full },
                Err(WebhookError::MissingHeader { header: TIMESTAMP }),
            ),
            (
                "no signature",
                Headers { signature: None, ..full },
                Err(WebhookError::MissingHeader { header: SIGNATURE }),
            ),
            ("dotted id", Headers { id: Some("msg.1"), ..full }, Err(WebhookError::AmbiguousId)),
            (
                "other id",
                Headers { id: Some("msg_2"), ..full },
                Err(WebhookError::NoMatchingSignature),
            ),
            (
                "signed time",
                Headers { timestamp: Some("+1700000000"), ..full },
                malformed(TIMESTAMP),
            ),
            (
                "huge time",
                Headers { timestamp: Some("99999999999999999999"), ..full },
                malformed(TIMESTAMP),
            ),
            (
                "zero-padded time",
                Headers { timestamp: Some("01700000000"), ..full },
                Err(WebhookError::NoMatchingSignature),
            ),
            ("no version", Headers { signature: Some(&good[3..]), ..full }, malformed(SIGNATURE)),
            ("many", Headers { signature: Some(&many), ..full }, malformed(SIGNATURE)),
            (
                "garbage",
                Headers { signature: Some("v1,%%% v9,AAAA"), ..full },
                Err(WebhookError::NoMatchingSignature),
            ),
            (
                "as v1a",
                Headers { signature: Some(&good.replace("v1,", "v1a,")), ..full },
                Err(WebhookError::NoMatchingSignature),
            ),
        ];
        for (name, headers, expected) in table {
            assert_eq!(verify(headers, BODY, &keys, NOW, 300), expected, "{name}");
        }
        assert_eq!(verify(full, BODY, &keys, NOW + 300, 300), Ok(()));
        assert_eq!(verify(full, BODY, &keys, NOW + 301, 300), Err(WebhookError::TooOld));
        assert_eq!(verify(full, BODY, &keys, NOW - 300, 300), Ok(()));
        assert_eq!(verify(full, BODY, &keys, NOW - 301, 300), Err(WebhookError::TooNew));
        assert_eq!(verify(full, b"{}", &keys, NOW, 300), Err(WebhookError::NoMatchingSignature));
        assert_eq!(verify(full, BODY, &[], NOW, 300), Err(WebhookError::NoMatchingSignature));
    }

    #[test]
    fn both_keys_of_a_rotation_are_accepted() {
        let new = SigningKey::from_seed([3; 32]);
        let entries = [
            sign("msg_1", NOW, BODY, &SendKey::Secret(secret(1))).unwrap(),
            sign("msg_1", NOW, BODY, &SendKey::Private(new.clone())).unwrap(),
        ]
        .join(" ");
        let now = NOW.to_string();
        let headers =
            Headers { id: Some("msg_1"), timestamp: Some(&now), signature: Some(&entries) };
        for (keys, expected) in [
            (vec![Key::Secret(secret(1))], true),
            (vec![Key::Public(new.public())], true),
            (vec![Key::Secret(secret(2)), Key::Public(new.public())], true),
            (vec![Key::Secret(secret(2))], false),
        ] {
            assert_eq!(verify(headers, BODY, &keys, NOW, 300).is_ok(), expected, "{keys:?}");
        }
    }

    #[test]
    fn keys_read_back_what_they_write() {
        let key = SigningKey::from_seed([3; 32]);
        let public = Key::parse(&public_key_text(&key.public()));
        assert!(matches!(public, Ok(Key::Public(it)) if it == key.public()));
        assert!(matches!(Key::parse(&secret(1).expose()), Ok(Key::Secret(_))));
        let seed = format!("{PRIVATE_PREFIX}{}", base64_encode(&[3; 32]));
        let both = [&[3; 32], key.public().as_bytes().as_slice()].concat();
        let both = format!("{PRIVATE_PREFIX}{}", base64_encode(&both));
        for text in [seed, both] {
            assert!(
                matches!(SendKey::parse(&text), Ok(SendKey::Private(it)) if it.public() == key.public())
            );
        }
        let other = format!("{PRIVATE_PREFIX}{}", base64_encode(&[3; 64]));
        assert!(SendKey::parse(&other).is_err());
        for length in [23, 65] {
            assert!(Secret::from_bytes(&vec![0; length]).is_err());
        }
        assert_eq!(format!("{:?}", Key::Secret(secret(1))), "Secret(Secret(..))");
    }
}
