//! Security event tokens: the body is a signed token.
//!
//! The time is `iat`, the id `jti`. Issuer and audience are for the reader to check.
//!
//! Source: RFC 8417; RFC 8935, section 2.

use serde_json::{Value, json};

use super::{
    Arrived, Draft, Entry, Facts, Place, Scheme, Sealed, Signer, Verified, Verifier, WebhookError,
    Window,
};
use crate::encoding::{base64url_decode, base64url_encode};
use crate::jwt::{Expect, JwtError, VerifyingKey, verify};

/// Security event tokens.
#[derive(Debug, Clone, Copy)]
pub struct SecurityEvent;

/// The media type of such a body.
pub const CONTENT_TYPE: &str = "application/secevent+jwt";
const TYP: &str = "secevent+jwt";
const FACTS: Facts = Facts {
    time: Some(Place::Body("iat")),
    id: Place::Body("jti"),
    id_signed: true,
    signature: Place::Body("signature"),
    shared: false,
    private: true,
    several: false,
    versions: false,
};

impl Scheme for SecurityEvent {
    fn name(&self) -> &'static str {
        "set"
    }

    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn content_type(&self) -> &'static str {
        CONTENT_TYPE
    }

    fn payload(&self, body: &[u8]) -> Option<Value> {
        let mut parts = body.split(|it| *it == b'.');
        let claims = std::str::from_utf8(parts.nth(1)?).ok()?;
        serde_json::from_slice(&base64url_decode(claims)?).ok()
    }

    fn entry(&self, draft: &Draft<'_>, key: &Signer) -> Result<Entry, WebhookError> {
        let header = match key {
            Signer::Private(it) => json!({ "alg": "EdDSA", "typ": TYP, "kid": it.key_id() }),
            Signer::Shared(_) => json!({ "alg": "HS256", "typ": TYP }),
        };
        let parameters = base64url_encode(header.to_string().as_bytes());
        let input = format!("{parameters}.{}", claims(draft));
        let signature = match key {
            Signer::Private(it) => base64url_encode(&it.sign(input.as_bytes())),
            Signer::Shared(it) => base64url_encode(&it.mac(input.as_bytes())),
        };
        Ok(Entry { label: String::new(), parameters, signature })
    }

    fn wrap(&self, draft: &Draft<'_>, entries: &[Entry]) -> Sealed {
        let none = base64url_encode(json!({ "alg": "none", "typ": TYP }).to_string().as_bytes());
        let (header, signature) = match entries.first() {
            Some(it) => (it.parameters.as_str(), it.signature.as_str()),
            None => (none.as_str(), ""),
        };
        Sealed::new(format!("{header}.{}.{signature}", claims(draft)).as_bytes(), &[])
    }

    fn set_time(&self, sealed: &mut Sealed, time: Option<&str>) {
        let token = String::from_utf8_lossy(&sealed.body).into_owned();
        let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { return };
        let claims = base64url_decode(claims).and_then(|it| serde_json::from_slice(&it).ok());
        let Some(Value::Object(mut claims)) = claims else { return };
        match time.map(|it| it.parse::<i64>().map_or_else(|_| it.into(), Value::from)) {
            Some(time) => claims.insert("iat".to_owned(), time),
            None => claims.remove("iat"),
        };
        let claims = base64url_encode(Value::Object(claims).to_string().as_bytes());
        sealed.body = format!("{header}.{claims}.{signature}").into_bytes();
    }

    fn verify(
        &self,
        arrived: &Arrived<'_>,
        keys: &[Verifier],
        window: Window,
    ) -> Result<Verified, WebhookError> {
        let malformed = WebhookError::Malformed { header: "body" };
        let token = std::str::from_utf8(arrived.body).map_err(|_| malformed)?.trim();
        // `alg: none` (RFC 7519, section 6.1): the third part is empty.
        if let [_, _, ""] = token.splitn(4, '.').collect::<Vec<_>>()[..] {
            return Err(WebhookError::Unsigned);
        }
        let public = keys.iter().filter_map(|it| match it {
            Verifier::Public(it) => Some(VerifyingKey::ed25519(*it)),
            Verifier::Shared(_) => None,
        });
        let public: Vec<VerifyingKey> = public.collect();
        let expect = Expect { typ: Some(TYP), ..Expect::default() };
        let verified = verify(token, &public, expect).map_err(|it| match it {
            JwtError::Malformed | JwtError::TooLarge | JwtError::Unexpected { .. } => malformed,
            JwtError::AlgorithmRefused { .. }
            | JwtError::BadSignature
            | JwtError::CriticalExtension
            | JwtError::UnknownKey => WebhookError::NoMatchingSignature,
        })?;
        let sent = verified.claims.get("iat").and_then(Value::as_i64).ok_or(malformed)?;
        window.check(sent)?;
        let id = verified.claims.get("jti").and_then(Value::as_str).map(str::to_owned);
        Ok(Verified { id, time_seconds: Some(sent) })
    }
}

/// The claims of the body, with its id and its time.
fn claims(draft: &Draft<'_>) -> String {
    let mut claims = match serde_json::from_slice(draft.body) {
        Ok(Value::Object(it)) => it,
        _ => serde_json::Map::new(),
    };
    claims.insert("jti".to_owned(), draft.id.into());
    claims.insert("iat".to_owned(), draft.time_seconds.into());
    base64url_encode(Value::Object(claims).to_string().as_bytes())
}
