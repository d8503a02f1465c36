//! HTTP message signatures: Ed25519 or HMAC-SHA-256 over the parts of a request that matter.
//!
//! Covered are the method, the address and the digest of the body; the time stands in `created`. The
//! standard knows no id of a message: ours stands in the body, and in `nonce`.
//!
//! Source: RFC 9421; RFC 9530 for the digest.

use super::components::{Input, base, inputs, signatures};
use super::{
    Arrived, Draft, Entry, Facts, Place, Scheme, Sealed, Shared, Signer, Verified, Verifier,
    WebhookError, Window, seconds,
};
use crate::digest::Digest;
use crate::encoding::base64_encode;

/// The header with the digest of the body.
pub const DIGEST: &str = "content-digest";
/// The header that says what is covered.
pub const INPUT: &str = "signature-input";
/// The header with the signatures.
pub const SIGNATURE: &str = "signature";

/// The member of the body with the id, which `nonce` repeats.
pub const ID: &str = "id";

/// HTTP message signatures.
#[derive(Debug, Clone, Copy)]
pub struct HttpMessage;

const FACTS: Facts = Facts {
    time: Some(Place::Header(INPUT)),
    id: Place::Body(ID),
    id_signed: true,
    signature: Place::Header(SIGNATURE),
    shared: true,
    private: true,
    several: true,
    versions: false,
};
const LABEL: &str = "sig1";
const COVERED: &str = r#"("@method" "@target-uri" "content-digest")"#;

impl Scheme for HttpMessage {
    fn name(&self) -> &'static str {
        "http-message-signatures"
    }

    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn entry(&self, draft: &Draft<'_>, key: &Signer) -> Result<Entry, WebhookError> {
        let malformed = WebhookError::Malformed { header: INPUT };
        let (algorithm, keyid) = match key {
            Signer::Private(it) => ("ed25519", it.key_id().to_string()),
            Signer::Shared(it) => ("hmac-sha256", keyid(it)),
        };
        let parameters = format!(
            r#"{COVERED};created={};keyid="{keyid}";alg="{algorithm}";nonce="{}""#,
            draft.time_seconds, draft.id
        );
        let header = format!("{LABEL}={parameters}");
        let read = inputs(&header).ok_or(malformed)?;
        let headers = [(DIGEST.to_owned(), digest(draft.body))];
        let arrived =
            Arrived { method: draft.method, url: draft.url, headers: &headers, body: draft.body };
        let message = read.first().and_then(|it| base(it, &arrived)).ok_or(malformed)?;
        let signature = match key {
            Signer::Private(it) => base64_encode(&it.sign(&message)),
            Signer::Shared(it) => base64_encode(&it.mac(&message)),
        };
        Ok(Entry { label: LABEL.to_owned(), parameters, signature })
    }

    fn wrap(&self, draft: &Draft<'_>, entries: &[Entry]) -> Sealed {
        let mut sealed = Sealed::new(draft.body, &[(DIGEST, &digest(draft.body))]);
        if entries.is_empty() {
            return sealed;
        }
        let named = |(index, it): (usize, &Entry)| match entries {
            [_] => it.label.clone(),
            _ => format!("{}-{index}", it.label),
        };
        let of = |write: &dyn Fn(&Entry) -> String| -> String {
            let all = entries.iter().enumerate();
            let all = all.map(|(index, it)| format!("{}={}", named((index, it)), write(it)));
            all.collect::<Vec<_>>().join(", ")
        };
        sealed.set(INPUT, Some(&of(&|it| it.parameters.clone())));
        sealed.set(SIGNATURE, Some(&of(&|it| format!(":{}:", it.signature))));
        sealed
    }

    fn set_time(&self, sealed: &mut Sealed, time: Option<&str>) {
        let Some(header) = sealed.header(INPUT) else { return };
        let parts = header.split(';').filter_map(|it| match (it.strip_prefix("created="), time) {
            (Some(_), None) => None,
            (Some(_), Some(time)) => Some(format!("created={time}")),
            (None, _) => Some(it.to_owned()),
        });
        let parts: Vec<String> = parts.collect();
        sealed.set(INPUT, Some(&parts.join(";")));
    }

    fn verify(
        &self,
        arrived: &Arrived<'_>,
        keys: &[Verifier],
        window: Window,
    ) -> Result<Verified, WebhookError> {
        let input_text = arrived.header(INPUT)?;
        let signature_text = arrived.header(SIGNATURE)?;
        let malformed = |header| WebhookError::Malformed { header };
        let inputs = inputs(input_text).ok_or(malformed(INPUT))?;
        let signatures = signatures(signature_text).ok_or(malformed(SIGNATURE))?;
        if arrived.header(DIGEST)? != digest(arrived.body) {
            return Err(WebhookError::DigestDiffers);
        }
        let mut reason = WebhookError::NoMatchingSignature;
        for input in inputs.iter().filter(|it| covers_enough(it)) {
            let signature = signatures.iter().find(|it| it.0 == input.label).map(|it| &it.1);
            let (Some(signature), Some(message)) = (signature, base(input, arrived)) else {
                continue;
            };
            let created = input.parameter("created").map(|it| seconds(it, INPUT));
            let Some(Ok(sent)) = created else {
                reason = malformed(INPUT);
                continue;
            };
            if let Err(error) = window.check(sent) {
                reason = error;
            } else if keys.iter().any(|it| verifies(it, input, &message, signature)) {
                let id = input.text_of("nonce").map(str::to_owned);
                return Ok(Verified { id, time_seconds: Some(sent) });
            }
        }
        Err(reason)
    }
}

/// Method, address and body: without one of them a signature says too little.
fn covers_enough(input: &Input<'_>) -> bool {
    let address = input.covers("@target-uri")
        || (input.covers("@authority")
            && (input.covers("@path") || input.covers("@request-target")));
    address && input.covers("@method") && input.covers(DIGEST)
}

/// The algorithm follows from the key; what the message says of it may only agree.
fn verifies(key: &Verifier, input: &Input<'_>, message: &[u8], signature: &[u8]) -> bool {
    let named = input.text_of("alg");
    match key {
        Verifier::Public(it) => {
            named.is_none_or(|it| it == "ed25519") && it.verify(message, signature).is_ok()
        }
        Verifier::Shared(it) => {
            named.is_none_or(|it| it == "hmac-sha256") && it.verifies(message, signature)
        }
    }
}

/// A digest of a body as `Content-Digest` writes it.
fn digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", base64_encode(Digest::of(body).as_bytes()))
}

/// A name for a secret that says nothing about it.
fn keyid(secret: &Shared) -> String {
    let mac = secret.mac(b"http-message-signatures keyid");
    crate::encoding::hex_encode(&mac[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::{base64_decode, base64url_decode};
    use crate::key::PublicKey;

    /// The request of RFC 9421, appendix B.2.
    fn headers() -> Vec<(String, String)> {
        let headers = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ];
        headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    fn message(input: &str) -> Vec<u8> {
        let headers = headers();
        let arrived = Arrived {
            method: "POST",
            url: "https://example.com/foo?param=Value&Pet=dog",
            headers: &headers,
            body: br#"{"hello": "world"}"#,
        };
        base(&inputs(input).unwrap()[0], &arrived).unwrap()
    }

    #[test]
    fn the_published_hmac_example_verifies() {
        let input = r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#;
        let secret = concat!(
            "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjx",
            "BdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
        );
        let secret = Shared::from_bytes(&base64_decode(secret).unwrap()).unwrap();
        let expected = "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=";
        assert_eq!(base64_encode(&secret.mac(&message(input))), expected);
    }

    #[test]
    fn the_published_ed25519_example_verifies() {
        let input = r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
        let key = base64url_decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs").unwrap();
        let key = PublicKey::from_slice(&key).unwrap();
        let signature = concat!(
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu",
            "4A0w6vuQv5lIp5WPpBKRCw==",
        );
        assert!(key.verify(&message(input), &base64_decode(signature).unwrap()).is_ok());
    }
}
