//! Signature schemes of messages, one file each, behind one trait.

use std::fmt;

use aws_lc_rs::hmac;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::encoding::base64_decode;
use crate::key::{PublicKey, SigningKey};

pub mod github;
pub mod http_message;
pub mod set;
pub mod shopify;
pub mod slack;
pub mod standard_webhooks;
pub mod stripe;

mod components;

/// Every scheme.
pub const SCHEMES: [&dyn Scheme; 7] = [
    &github::Github,
    &http_message::HttpMessage,
    &set::SecurityEvent,
    &shopify::Shopify,
    &slack::Slack,
    &standard_webhooks::StandardWebhooks,
    &stripe::Stripe,
];

/// The scheme of this name: `standard-webhooks`.
pub fn find(name: &str) -> Option<&'static dyn Scheme> {
    SCHEMES.into_iter().find(|it| it.name() == name)
}

/// How messages are signed, and how their signatures are verified.
///
/// Signing has two steps, so that a check can put a right signature beside a wrong message.
pub trait Scheme: Sync + fmt::Debug {
    /// Its name, as manifests write it.
    fn name(&self) -> &'static str;

    /// What it can do.
    fn facts(&self) -> &'static Facts;

    /// The media type of its bodies.
    fn content_type(&self) -> &'static str {
        "application/json"
    }

    /// Reads a shared secret as this scheme writes it. `base64:` before it says that it is bytes.
    fn secret(&self, text: &str) -> Result<Shared, InvalidWebhookKey> {
        match text.strip_prefix("base64:") {
            Some(text) => Shared::from_bytes(&base64_decode(text).ok_or(InvalidWebhookKey)?),
            None => Shared::from_bytes(text.as_bytes()),
        }
    }

    /// How this scheme writes a secret that grows from random bytes.
    fn write_secret(&self, bytes: &[u8]) -> Zeroizing<String> {
        Zeroizing::new(crate::encoding::hex_encode(bytes))
    }

    /// What a body says, as JSON: its claims, where it is a token. Nobody has verified it.
    fn payload(&self, body: &[u8]) -> Option<Value> {
        serde_json::from_slice(body).ok()
    }

    /// Puts the id into the body, where this scheme has it there.
    fn put_id(&self, body: &mut Value, id: &str) {
        if let Place::Body(name) = self.facts().id {
            body[name] = id.into();
        }
    }

    /// One signature over a message.
    fn entry(&self, draft: &Draft<'_>, key: &Signer) -> Result<Entry, WebhookError>;

    /// A message with these signatures; without any, it bears none.
    fn wrap(&self, draft: &Draft<'_>, entries: &[Entry]) -> Sealed;

    /// Writes another time on a message, or none, and leaves its signatures as they are.
    fn set_time(&self, sealed: &mut Sealed, time: Option<&str>);

    /// Whether one of `keys` signed this message, and when; each reader has to look at the id itself.
    fn verify(
        &self,
        arrived: &Arrived<'_>,
        keys: &[Verifier],
        window: Window,
    ) -> Result<Verified, WebhookError>;

    /// A message with the signature of each key.
    fn sign(&self, draft: &Draft<'_>, keys: &[&Signer]) -> Result<Sealed, WebhookError> {
        let entries: Result<Vec<Entry>, _> = keys.iter().map(|it| self.entry(draft, it)).collect();
        Ok(self.wrap(draft, &entries?))
    }
}

/// What a scheme can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a table of what each scheme can do")]
pub struct Facts {
    /// Where the time of sending stands, which is signed; none where there is no such time.
    pub time: Option<Place>,
    /// Where the id of the message stands.
    pub id: Place,
    /// Whether the signature covers the id.
    pub id_signed: bool,
    /// Where the signatures stand.
    pub signature: Place,
    /// Whether it signs with shared secrets.
    pub shared: bool,
    /// Whether it signs with key pairs.
    pub private: bool,
    /// Whether a message may bear several signatures.
    pub several: bool,
    /// Whether a signature says of which version it is.
    pub versions: bool,
}

impl Facts {
    /// Whether it signs with this kind of key.
    pub fn takes(&self, key: &Signer) -> bool {
        match key {
            Signer::Private(_) => self.private,
            Signer::Shared(_) => self.shared,
        }
    }
}

/// Where something stands in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A member of the body.
    Body(&'static str),
    /// A header.
    Header(&'static str),
}

/// A message before it is signed.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// `POST`
    pub method: &'a str,
    /// Where it goes.
    pub url: &'a str,
    /// Its id.
    pub id: &'a str,
    /// When it is sent, in seconds since 1970.
    pub time_seconds: i64,
    /// The body: JSON.
    pub body: &'a [u8],
}

/// One signature, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its version or name: `v1a`. Empty where the scheme has none.
    pub label: String,
    /// What it says of itself and signs with. Empty where the scheme has nothing such.
    pub parameters: String,
    /// The signature.
    pub signature: String,
}

impl Entry {
    fn new(label: &str, signature: String) -> Self {
        Self { label: label.to_owned(), parameters: String::new(), signature }
    }
}

/// A message as it is sent: what belongs to the scheme.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sealed {
    /// Header names in lowercase and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Sealed {
    fn new(body: &[u8], headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { headers: headers.collect(), body: body.to_vec() }
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    /// Replaces a header, or takes it away.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        match (self.headers.iter().position(|it| it.0 == name), value) {
            (Some(index), Some(value)) => value.clone_into(&mut self.headers[index].1),
            (Some(index), None) => drop(self.headers.remove(index)),
            (None, Some(value)) => self.headers.push((name.to_owned(), value.to_owned())),
            (None, None) => {}
        }
    }
}

/// A message as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// `POST`
    pub method: &'a str,
    /// The address that it was sent to, as its receiver knows it.
    pub url: &'a str,
    /// Header names in lowercase and values.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Arrived<'a> {
    /// A header that has to be there, once.
    pub fn header(&self, name: &'static str) -> Result<&'a str, WebhookError> {
        let mut all = self.headers.iter().filter(|it| it.0 == name);
        match (all.next(), all.next()) {
            (Some(_), Some(_)) => Err(WebhookError::Malformed { header: name }),
            (Some((_, value)), None) if !value.is_empty() => Ok(value),
            _ => Err(WebhookError::MissingHeader { header: name }),
        }
    }

    /// A text member of the body, where it is JSON.
    fn member(&self, name: &str) -> Option<String> {
        let body: Value = serde_json::from_slice(self.body).ok()?;
        body.get(name)?.as_str().map(str::to_owned)
    }
}

/// How old or early a message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Now, in seconds since 1970.
    pub now_seconds: i64,
    /// How far away from now, either way.
    pub tolerance_seconds: i64,
}

impl Window {
    /// Whether a message of this time may still, or already, be taken.
    pub fn check(&self, sent_seconds: i64) -> Result<(), WebhookError> {
        if sent_seconds < self.now_seconds.saturating_sub(self.tolerance_seconds) {
            return Err(WebhookError::TooOld);
        }
        if self.now_seconds.saturating_add(self.tolerance_seconds) < sent_seconds {
            return Err(WebhookError::TooNew);
        }
        Ok(())
    }
}

/// What a verified message says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its id, which may be unsigned.
    pub id: Option<String>,
    /// When it was signed.
    pub time_seconds: Option<i64>,
}

/// A key of a sender.
#[derive(Clone)]
pub enum Signer {
    /// A private key.
    Private(SigningKey),
    /// A shared secret.
    Shared(Shared),
}

impl Signer {
    /// What its receiver holds.
    pub fn verifier(&self) -> Verifier {
        match self {
            Self::Private(it) => Verifier::Public(it.public()),
            Self::Shared(it) => Verifier::Shared(it.clone()),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Signer(..)")
    }
}

/// A key of a receiver.
#[derive(Debug, Clone)]
pub enum Verifier {
    /// A public key.
    Public(PublicKey),
    /// A shared secret.
    Shared(Shared),
}

/// A shared secret: some bytes, 1024 at most.
#[derive(Clone)]
pub struct Shared(Zeroizing<Vec<u8>>);

impl Shared {
    /// The secret with these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidWebhookKey> {
        if bytes.is_empty() || SECRET_BYTES_MAX < bytes.len() {
            return Err(InvalidWebhookKey);
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// HMAC-SHA-256 over a message.
    pub fn mac(&self, message: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        hmac::sign(&key, message).as_ref().to_vec()
    }

    /// HMAC-SHA-1 over a message in hexadecimal, which nobody should accept any more.
    pub fn legacy_mac(&self, message: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        crate::encoding::hex_encode(hmac::sign(&key, message).as_ref())
    }

    /// Whether this is the HMAC-SHA-256 over a message, in constant time.
    pub fn verifies(&self, message: &[u8], mac: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        hmac::verify(&key, message, mac).is_ok()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Shared(..)")
    }
}

/// Why a message is not signed, or not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The id holds a full stop, so where it ends is open to argument.
    #[error("message id contains a full stop")]
    AmbiguousId,
    /// The digest in the headers is not the one of the body.
    #[error("content digest is not that of the body")]
    DigestDiffers,
    /// The scheme does not sign with this kind of key.
    #[error("`{scheme}` is not signed with this kind of key")]
    KeyKind {
        /// The scheme.
        scheme: &'static str,
    },
    /// A header that is not what it must be.
    #[error("header `{header}` is malformed")]
    Malformed {
        /// The header.
        header: &'static str,
    },
    /// A header is not there.
    #[error("header `{header}` is missing")]
    MissingHeader {
        /// The header.
        header: &'static str,
    },
    /// No key made any of the signatures over this message.
    #[error("no signature matches")]
    NoMatchingSignature,
    /// Sent too far in the future.
    #[error("message's time is too far in the future")]
    TooNew,
    /// Sent too long ago.
    #[error("message's time is too far in the past")]
    TooOld,
    /// It bears no signature.
    #[error("message is not signed")]
    Unsigned,
}

/// A text that is not a key of this scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a webhook key (`whsec_`, `whsk_` or `whpk_` and base64)")]
pub struct InvalidWebhookKey;

/// Whole seconds since 1970, in digits.
fn seconds(text: &str, header: &'static str) -> Result<i64, WebhookError> {
    let malformed = WebhookError::Malformed { header };
    if text.is_empty() || !text.bytes().all(|it| it.is_ascii_digit()) {
        return Err(malformed);
    }
    text.parse().map_err(|_| malformed)
}

/// The secret of a sender whose scheme knows shared secrets alone.
fn only_shared<'a>(key: &'a Signer, scheme: &'static str) -> Result<&'a Shared, WebhookError> {
    match key {
        Signer::Private(_) => Err(WebhookError::KeyKind { scheme }),
        Signer::Shared(it) => Ok(it),
    }
}

/// Whether one of the shared secrets made this mac over this message.
fn any_shared(keys: &[Verifier], message: &[u8], mac: &[u8]) -> bool {
    keys.iter().any(|key| match key {
        Verifier::Public(_) => false,
        Verifier::Shared(it) => it.verifies(message, mac),
    })
}

const SECRET_BYTES_MAX: usize = 1_024;
const SIGNATURES_MAX: usize = 32;
const SIGNATURE_BYTES_MAX: usize = 8 * 1_024;

#[cfg(test)]
mod tests;
