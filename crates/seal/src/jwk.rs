//! Other people's public keys: JSON Web Keys and sets of them.
//!
//! Source: RFC 7517; RFC 7518, section 6; RFC 8037, section 2.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

use crate::encoding::base64url_decode;
use crate::key::PublicKey;

/// A public key with which a token may be verified, of one kind and for one algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    kid: Option<String>,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Ed25519(PublicKey),
    P256(Vec<u8>),
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
}

impl VerifyingKey {
    /// One of our own keys, under its key id.
    pub fn ed25519(key: PublicKey) -> Self {
        Self { kid: Some(key.key_id().to_string()), material: Material::Ed25519(key) }
    }

    /// The same key under the name `kid`.
    pub fn named(self, kid: &str) -> Self {
        Self { kid: Some(kid.to_owned()), ..self }
    }

    /// Reads a key of the kinds that we verify: Ed25519, P-256, RSA of 2048 to 8192 bits.
    pub fn from_jwk(jwk: &Value) -> Result<Self, JwkError> {
        let kid = match jwk.get("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= KID_BYTES_MAX => Some(kid.clone()),
            Some(_) => return Err(JwkError::Malformed { member: "kid" }),
        };
        let material = match (text(jwk, "kty")?, jwk.get("crv").and_then(Value::as_str)) {
            ("OKP", Some("Ed25519")) => Material::Ed25519(
                PublicKey::from_slice(&bytes(jwk, "x")?)
                    .map_err(|_| JwkError::Malformed { member: "x" })?,
            ),
            ("EC", Some("P-256")) => Material::P256(p256_point(jwk)?),
            ("RSA", _) => rsa(jwk)?,
            _ => return Err(JwkError::Unsupported),
        };
        let key = Self { kid, material };
        key.check_purpose(jwk)?;
        Ok(key)
    }

    /// The name of the key in its set.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The only `alg` that this key verifies.
    pub const fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Ed25519(_) => "EdDSA",
            Material::P256(_) => "ES256",
            Material::Rsa { .. } => "RS256",
        }
    }

    /// Whether `signature` was made over `message` by this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Ed25519(key) => key.verify(message, signature).is_ok(),
            Material::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message, signature)
                .is_ok(),
            Material::Rsa { modulus, exponent } => {
                RsaPublicKeyComponents { n: modulus.as_slice(), e: exponent.as_slice() }
                    .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                    .is_ok()
            }
        }
    }

    /// A key says by `use`, `key_ops` and `alg` what it is for; other purposes are refused.
    fn check_purpose(&self, jwk: &Value) -> Result<(), JwkError> {
        if jwk.get("use").is_some_and(|it| it != "sig") {
            return Err(JwkError::OtherPurpose);
        }
        if let Some(operations) = jwk.get("key_ops") {
            let operations =
                operations.as_array().ok_or(JwkError::Malformed { member: "key_ops" })?;
            if !operations.iter().any(|it| it == "verify") {
                return Err(JwkError::OtherPurpose);
            }
        }
        match jwk.get("alg").map(Value::as_str) {
            None => Ok(()),
            Some(Some(alg)) if alg == self.algorithm() => Ok(()),
            Some(Some("Ed25519")) if matches!(self.material, Material::Ed25519(_)) => Ok(()),
            Some(_) => Err(JwkError::OtherPurpose),
        }
    }
}

/// Reads the usable keys of a set. Keys of unknown kinds and purposes are skipped.
pub fn parse_set(document: &[u8]) -> Result<Vec<VerifyingKey>, JwkError> {
    if SET_BYTES_MAX < document.len() {
        return Err(JwkError::TooLarge);
    }
    let set =
        crate::json::parse(document).map_err(|_| JwkError::Malformed { member: "(document)" })?;
    let keys =
        set.get("keys").and_then(Value::as_array).ok_or(JwkError::Malformed { member: "keys" })?;
    if KEYS_MAX < keys.len() {
        return Err(JwkError::TooLarge);
    }
    let mut usable = Vec::new();
    for key in keys {
        match VerifyingKey::from_jwk(key) {
            Ok(key) => usable.push(key),
            Err(JwkError::Unsupported | JwkError::OtherPurpose) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(usable)
}

/// Why a JSON Web Key, or a set of them, is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// A member is missing or is not what it must be.
    #[error("key's `{member}` is missing or malformed")]
    Malformed {
        /// The member.
        member: &'static str,
    },
    /// The key says that it is for something else.
    #[error("key is not for verifying signatures with its algorithm")]
    OtherPurpose,
    /// The set is beyond its limit.
    #[error("key set is larger than {KEYS_MAX} keys or {SET_BYTES_MAX} bytes")]
    TooLarge,
    /// A kind of key that we do not verify with.
    #[error("key is not Ed25519, P-256 or RSA")]
    Unsupported,
    /// An RSA key that is too short, or too long to be meant well.
    #[error("RSA key is not between 2048 and 8192 bits, or its exponent is unusable")]
    WeakRsa,
}

fn text<'a>(jwk: &'a Value, member: &'static str) -> Result<&'a str, JwkError> {
    jwk.get(member).and_then(Value::as_str).ok_or(JwkError::Malformed { member })
}

fn bytes(jwk: &Value, member: &'static str) -> Result<Vec<u8>, JwkError> {
    let encoded = text(jwk, member)?;
    if COMPONENT_TEXT_MAX < encoded.len() {
        return Err(JwkError::Malformed { member });
    }
    base64url_decode(encoded).ok_or(JwkError::Malformed { member })
}

fn p256_point(jwk: &Value) -> Result<Vec<u8>, JwkError> {
    let mut point = vec![0x04];
    for member in ["x", "y"] {
        let coordinate = bytes(jwk, member)?;
        if coordinate.len() != 32 {
            return Err(JwkError::Malformed { member });
        }
        point.extend(coordinate);
    }
    Ok(point)
}

fn rsa(jwk: &Value) -> Result<Material, JwkError> {
    let modulus = without_leading_zeros(bytes(jwk, "n")?);
    let exponent = without_leading_zeros(bytes(jwk, "e")?);
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let odd = exponent.last().is_some_and(|byte| byte & 1 == 1);
    let usable = odd && exponent != [1] && exponent.len() <= 5;
    if !(2048..=8192).contains(&bits) || !usable {
        return Err(JwkError::WeakRsa);
    }
    Ok(Material::Rsa { modulus, exponent })
}

fn without_leading_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

const KEYS_MAX: usize = 64;
const SET_BYTES_MAX: usize = 256 * 1024;
const KID_BYTES_MAX: usize = 1024;
const COMPONENT_TEXT_MAX: usize = 2048;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::encoding::base64url_encode;
    use crate::key::SigningKey;

    #[test]
    fn keys_that_must_not_verify_are_refused() {
        let ours = SigningKey::from_seed([1; 32]).public().to_jwk();
        assert!(VerifyingKey::from_jwk(&ours).is_ok());
        let short = base64url_encode(&[0xff; 255]);
        let table = [
            (json!({"kty": "oct", "k": "AAAA"}), JwkError::Unsupported),
            (json!({"kty": "OKP", "crv": "X25519", "x": "AAAA"}), JwkError::Unsupported),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
                JwkError::Malformed { member: "x" },
            ),
            (json!({"kty": "EC", "crv": "P-384"}), JwkError::Unsupported),
            (json!({"kty": "RSA", "n": short, "e": "AQAB"}), JwkError::WeakRsa),
            (
                json!({"kty": "RSA", "n": base64url_encode(&[0xff; 256]), "e": "AQ"}),
                JwkError::WeakRsa,
            ),
            (
                json!({"kty": "RSA", "n": base64url_encode(&[0xff; 1025]), "e": "AQAB"}),
                JwkError::WeakRsa,
            ),
            (json!({}), JwkError::Malformed { member: "kty" }),
        ];
        for (jwk, expected) in table {
            assert_eq!(VerifyingKey::from_jwk(&jwk), Err(expected), "{jwk}");
        }
        for (member, value) in [
            ("use", json!("enc")),
            ("alg", json!("HS256")),
            ("alg", json!("RS256")),
            ("key_ops", json!(["sign"])),
        ] {
            let mut jwk = ours.clone();
            jwk[member] = value;
            assert_eq!(VerifyingKey::from_jwk(&jwk), Err(JwkError::OtherPurpose), "{jwk}");
        }
    }

    #[test]
    fn a_set_is_bounded_and_skips_what_it_does_not_know() {
        let ours = SigningKey::from_seed([1; 32]).public().to_jwk();
        let set = json!({"keys": [ours.clone(), {"kty": "oct", "k": "AA"}, {"kty": "new"}]});
        assert_eq!(parse_set(set.to_string().as_bytes()).unwrap().len(), 1);
        let many = json!({"keys": vec![ours; 65]});
        assert_eq!(parse_set(many.to_string().as_bytes()), Err(JwkError::TooLarge));
        let no_list = parse_set(br#"{"keys":{}}"#);
        assert_eq!(no_list, Err(JwkError::Malformed { member: "keys" }));
    }
}
