//! Envelopes: one payload, signed by several people.
//!
//! Source: DSSE 1.0 (Dead Simple Signing Envelope), protocol and envelope.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::encoding::{base64_decode_either, base64_encode};
use crate::key::{PublicKey, SigningKey};

/// A payload with the signatures over it. Nothing in it is trusted before [`Envelope::verify`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

/// One signature; `keyid` is only a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The signer's name for the key: untrusted, perhaps empty.
    pub keyid: String,
    /// The signature's bytes.
    pub sig: Vec<u8>,
}

/// What a threshold of trusted keys signed.
///
/// [`Envelope::verify`] is its only source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What was signed.
    pub payload: Vec<u8>,
    /// The trusted keys that signed it, each once, in order of their bytes.
    pub signers: Vec<PublicKey>,
}

impl Envelope {
    /// The envelope of `payload` without a signature.
    pub fn new(payload_type: &str, payload: Vec<u8>) -> Result<Self, DsseError> {
        Self::bounded(payload_type.to_owned(), payload, Vec::new())
    }

    /// The envelope of `payload` with one signature.
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &SigningKey) -> Result<Self, DsseError> {
        let mut envelope = Self::new(payload_type, payload)?;
        envelope.add_signature(key)?;
        Ok(envelope)
    }

    /// Adds the signature of `key`; a key that has signed already adds nothing.
    pub fn add_signature(&mut self, key: &SigningKey) -> Result<(), DsseError> {
        let sig = key.sign(&pae(&self.payload_type, &self.payload)).to_vec();
        self.attach(Signature { keyid: key.key_id().to_string(), sig })
    }

    /// Adds a signature that was made elsewhere over [`pae`]; the same one again adds nothing.
    pub fn attach(&mut self, signature: Signature) -> Result<(), DsseError> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if SIGNATURES_MAX <= self.signatures.len() {
            return Err(DsseError::TooManySignatures);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Reads an envelope from JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, DsseError> {
        if ENVELOPE_BYTES_MAX < bytes.len() {
            return Err(DsseError::TooLarge);
        }
        let wire: Wire = serde_json::from_slice(bytes).map_err(|_| DsseError::Malformed)?;
        Self::try_from(wire)
    }

    /// The payload, if at least `threshold` different keys of `trusted` signed it.
    ///
    /// Keys are counted, never key ids: one key under two ids is one key. Signatures of other keys
    /// are ignored. What the payload means is the caller's to check against [`Self::payload_type`].
    pub fn verify(&self, trusted: &[PublicKey], threshold: usize) -> Result<Verified, DsseError> {
        if threshold == 0 {
            return Err(DsseError::ThresholdZero);
        }
        let message = pae(&self.payload_type, &self.payload);
        let trusted: BTreeSet<PublicKey> = trusted.iter().copied().collect();
        let signers: Vec<PublicKey> = trusted
            .into_iter()
            .filter(|key| self.signatures.iter().any(|it| key.verify(&message, &it.sig).is_ok()))
            .collect();
        if signers.len() < threshold {
            return Err(DsseError::BelowThreshold { signers: signers.len(), threshold });
        }
        Ok(Verified { payload: self.payload.clone(), signers })
    }

    /// The media type of the payload, which the signatures cover.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload before anybody verified it: to show, never to act upon.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signatures as they stand in the envelope.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    fn bounded(
        payload_type: String,
        payload: Vec<u8>,
        signatures: Vec<Signature>,
    ) -> Result<Self, DsseError> {
        if PAYLOAD_BYTES_MAX < payload.len() || PAYLOAD_TYPE_BYTES_MAX < payload_type.len() {
            return Err(DsseError::TooLarge);
        }
        if SIGNATURES_MAX < signatures.len() {
            return Err(DsseError::TooManySignatures);
        }
        Ok(Self { payload_type, payload, signatures })
    }
}

/// The bytes that a signature covers: `DSSEv1 len(type) type len(payload) payload`.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Why an envelope proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DsseError {
    /// Fewer trusted keys signed than are needed.
    #[error("signed by {signers} of the trusted keys, {threshold} needed")]
    BelowThreshold {
        /// How many different trusted keys signed.
        signers: usize,
        /// How many are needed.
        threshold: usize,
    },
    /// Not an envelope.
    #[error("not a DSSE envelope")]
    Malformed,
    /// A threshold of nobody would accept everything.
    #[error("a threshold of zero signatures proves nothing")]
    ThresholdZero,
    /// The payload or the envelope is beyond its limit.
    #[error("envelope is larger than its limit of 4 MiB payload")]
    TooLarge,
    /// More signatures than anybody will try.
    #[error("envelope holds more than {SIGNATURES_MAX} signatures")]
    TooManySignatures,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
struct WireSignature {
    #[serde(default)]
    keyid: Option<String>,
    sig: String,
}

impl From<Envelope> for Wire {
    fn from(envelope: Envelope) -> Self {
        let signatures = envelope
            .signatures
            .into_iter()
            .map(|it| WireSignature { keyid: Some(it.keyid), sig: base64_encode(&it.sig) });
        Self {
            payload_type: envelope.payload_type,
            payload: base64_encode(&envelope.payload),
            signatures: signatures.collect(),
        }
    }
}

impl TryFrom<Wire> for Envelope {
    type Error = DsseError;

    fn try_from(wire: Wire) -> Result<Self, DsseError> {
        if SIGNATURES_MAX < wire.signatures.len() {
            return Err(DsseError::TooManySignatures);
        }
        let payload = base64_decode_either(&wire.payload).ok_or(DsseError::Malformed)?;
        let signatures = wire.signatures.into_iter().map(|it| {
            let sig = base64_decode_either(&it.sig).ok_or(DsseError::Malformed)?;
            Ok(Signature { keyid: it.keyid.unwrap_or_default(), sig })
        });
        Self::bounded(wire.payload_type, payload, signatures.collect::<Result<_, _>>()?)
    }
}

const SIGNATURES_MAX: usize = 64;
const PAYLOAD_BYTES_MAX: usize = 4 * 1024 * 1024;
const PAYLOAD_TYPE_BYTES_MAX: usize = 256;
const ENVELOPE_BYTES_MAX: usize = 6 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> SigningKey {
        SigningKey::from_seed([number; 32])
    }

    fn signature(key: &SigningKey, keyid: &str) -> Signature {
        Signature { keyid: keyid.to_owned(), sig: key.sign(&pae("t", b"payload")).to_vec() }
    }

    #[test]
    fn two_signatures_are_two_different_keys() {
        let (ada, ben, eve) = (key(1), key(2), key(3));
        let trusted = [ada.public(), ben.public(), ada.public()];
        let id = ben.key_id();
        let table: [(&str, Vec<Signature>, usize); 8] = [
            ("two keys", vec![signature(&ada, "a"), signature(&ben, "b")], 2),
            ("no key ids", vec![signature(&ada, ""), signature(&ben, "")], 2),
            ("swapped key ids", vec![signature(&ada, id.as_str()), signature(&ben, "a")], 2),
            ("one key", vec![signature(&ada, "a")], 1),
            ("one key twice", vec![signature(&ada, "a"), signature(&ada, "a")], 1),
            ("one key under two ids", vec![signature(&ada, "a"), signature(&ada, id.as_str())], 1),
            ("a stranger beside", vec![signature(&ada, "a"), signature(&eve, id.as_str())], 1),
            ("nobody", vec![], 0),
        ];
        for (name, signatures, expected) in table {
            let envelope = Envelope::bounded("t".into(), b"payload".to_vec(), signatures).unwrap();
            let signers = envelope.verify(&trusted, 1).map_or(0, |it| it.signers.len());
            assert_eq!(signers, expected, "{name}");
            assert_eq!(envelope.verify(&trusted, 2).is_ok(), expected == 2, "{name} of two");
        }
    }

    #[test]
    fn changed_payloads_and_types_are_refused() {
        let envelope = Envelope::sign("t", b"payload".to_vec(), &key(1)).unwrap();
        for (payload_type, payload) in [("u", "payload"), ("t", "payloae"), ("t p", "ayload")] {
            let changed = Envelope {
                payload_type: payload_type.to_owned(),
                payload: payload.into(),
                signatures: envelope.signatures.clone(),
            };
            let error = changed.verify(&[key(1).public()], 1);
            assert_eq!(error, Err(DsseError::BelowThreshold { signers: 0, threshold: 1 }));
        }
        assert_eq!(envelope.verify(&[key(1).public()], 0), Err(DsseError::ThresholdZero));
    }

    #[test]
    fn both_alphabets_and_missing_key_ids_are_read() {
        let envelope = Envelope::sign("t", vec![0xfb, 0xff, 0xfe], &key(1)).unwrap();
        let text = serde_json::to_string(&envelope).unwrap();
        assert_eq!(Envelope::parse(text.as_bytes()), Ok(envelope.clone()));
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let sig = value["signatures"][0]["sig"].as_str().unwrap();
        let urlsafe = sig.replace('+', "-").replace('/', "_").replace('=', "");
        value["signatures"][0] = serde_json::json!({ "sig": urlsafe, "more": 1 });
        value["payload"] = "-__-".into();
        let read = Envelope::parse(value.to_string().as_bytes()).unwrap();
        assert!(read.verify(&[key(1).public()], 1).is_ok());
    }

    #[test]
    fn envelopes_are_bounded() {
        assert_eq!(Envelope::new("t", vec![0; PAYLOAD_BYTES_MAX + 1]), Err(DsseError::TooLarge));
        let mut envelope = Envelope::new("t", vec![]).unwrap();
        for number in 0..64 {
            envelope.add_signature(&key(number)).unwrap();
            envelope.add_signature(&key(number)).unwrap();
        }
        assert_eq!(envelope.add_signature(&key(64)), Err(DsseError::TooManySignatures));
        assert_eq!(Envelope::parse(&vec![b' '; ENVELOPE_BYTES_MAX + 1]), Err(DsseError::TooLarge));
        assert_eq!(Envelope::parse(b"{}"), Err(DsseError::Malformed));
    }
}
