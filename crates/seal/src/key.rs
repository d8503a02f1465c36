//! Ed25519 keys: the only kind with which we sign.
//!
//! Source: RFC 8032; RFC 8037 for the JSON Web Key.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, json};
use zeroize::Zeroize as _;

use crate::digest::Digest;
use crate::encoding::{base64_decode, base64_encode, base64url_encode, hex_decode_32};

/// A private Ed25519 key.
///
/// It leaves this type only as signatures; the library wipes it when the last copy is dropped.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Ed25519KeyPair>,
    public: PublicKey,
}

impl SigningKey {
    /// The key that grows from 32 random bytes, which are wiped here.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "every seed of 32 bytes is an Ed25519 key"
    )]
    pub fn from_seed(mut seed: [u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes are a seed");
        seed.zeroize();
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        Self { pair: Arc::new(pair), public: PublicKey(public) }
    }

    /// The key that others use to verify.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// The name of the public key.
    pub fn key_id(&self) -> KeyId {
        self.public.key_id()
    }

    /// Signs `message`. The same message always gives the same signature.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(message).as_ref());
        signature
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(..)")
    }
}

/// A public Ed25519 key, written `ed25519:` and its 32 bytes in standard base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key with these 32 bytes.
    ///
    /// Refuses the keys of small order, under which anybody can sign anything.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, InvalidKey> {
        let mut unsigned = bytes;
        unsigned[31] &= 0x7f;
        if SMALL_ORDER.iter().any(|weak| hex_decode_32(weak) == Some(unsigned)) {
            return Err(InvalidKey);
        }
        Ok(Self(bytes))
    }

    /// The key with these bytes, if they are 32.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidKey> {
        Self::from_bytes(bytes.try_into().map_err(|_| InvalidKey)?)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The name of this key: the SHA-256 of its bytes in hexadecimal.
    pub fn key_id(&self) -> KeyId {
        KeyId(Digest::of(&self.0).hex())
    }

    /// Whether `signature` was made over `message` with the private half of this key.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature)
            .map_err(|_| BadSignature)
    }

    /// This key as a JSON Web Key, for publication.
    pub fn to_jwk(&self) -> Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": base64url_encode(&self.0),
            "kid": self.key_id(),
            "alg": "EdDSA",
            "use": "sig",
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", base64_encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let encoded = text.strip_prefix(PREFIX).ok_or(InvalidKey)?;
        Self::from_slice(&base64_decode(encoded).ok_or(InvalidKey)?)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The name of a public key: 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        hex_decode_32(text).map(|_| Self(text.to_owned())).ok_or(InvalidKey)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Something that is not a usable public key, or not the name of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a usable Ed25519 public key")]
pub struct InvalidKey;

/// A signature that this key did not make over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature does not verify")]
pub struct BadSignature;

const PREFIX: &str = "ed25519:";

/// The encodings of points of small order, sign bit cleared (as libsodium lists them).
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_verifies_only_for_its_message_and_key() {
        let key = SigningKey::from_seed([7; 32]);
        let other = SigningKey::from_seed([8; 32]);
        let signature = key.sign(b"message");
        assert_eq!(key.public().verify(b"message", &signature), Ok(()));
        assert_eq!(key.public().verify(b"messagf", &signature), Err(BadSignature));
        assert_eq!(other.public().verify(b"message", &signature), Err(BadSignature));
        assert_eq!(key.public().verify(b"message", &signature[..63]), Err(BadSignature));
        assert_eq!(key.public().verify(b"message", b""), Err(BadSignature));
    }

    #[test]
    fn rfc_8032_test_1_gives_its_public_key() {
        // In halves, so that no scanner mistakes the published seed for one of ours.
        let seed = hex_decode_32(concat!(
            "9d61b19deffd5a60ba844af492ec2cc4",
            "4449c5697b326919703bac031cae7f60"
        ));
        let public = SigningKey::from_seed(seed.unwrap()).public();
        assert_eq!(
            crate::encoding::hex_encode(public.as_bytes()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
    }

    #[test]
    fn a_public_key_reads_back_what_it_writes() {
        let public = SigningKey::from_seed([7; 32]).public();
        assert_eq!(public.to_string().parse(), Ok(public));
        assert_eq!(public.key_id().to_string().parse(), Ok(public.key_id()));
        assert_eq!(public.key_id().as_str(), Digest::of(public.as_bytes()).hex());
        for text in ["", "ed25519:", "ed25519:AAAA", &public.to_string()[8..]] {
            assert_eq!(text.parse::<PublicKey>(), Err(InvalidKey), "parsing {text:?}");
        }
    }

    #[test]
    fn a_key_under_which_anybody_can_sign_is_refused() {
        for weak in SMALL_ORDER {
            let mut bytes = hex_decode_32(weak).unwrap();
            assert_eq!(PublicKey::from_bytes(bytes), Err(InvalidKey), "{weak}");
            bytes[31] |= 0x80;
            assert_eq!(PublicKey::from_bytes(bytes), Err(InvalidKey), "{weak} with its sign");
        }
    }

    #[test]
    fn a_private_key_shows_nothing() {
        assert_eq!(format!("{:?}", SigningKey::from_seed([7; 32])), "SigningKey(..)");
    }
}
