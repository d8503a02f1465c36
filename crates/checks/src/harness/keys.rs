//! Key pairs that the checker signs with, when it plays an issuer of tokens or of events.
//!
//! Source: RFC 7517, RFC 7518 (section 3), RFC 8037.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use countersign_seal::Digest;
use serde_json::{Value, json};

use crate::live::base64url;

/// An algorithm that we sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alg {
    /// Ed25519.
    EdDsa,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// RSA, PKCS #1 v1.5, with SHA-256.
    Rs256,
}

impl Alg {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// As a header names it: `ES256`.
    pub fn word(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// A key pair under the name that it is published with.
pub struct KeyPair {
    kid: String,
    alg: Alg,
    private: Private,
}

enum Private {
    Ed25519(Box<Ed25519KeyPair>),
    P256(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KeyPair({} {})", self.alg.word(), self.kid)
    }
}

impl KeyPair {
    /// A new key pair; none where this machine gives no randomness.
    pub fn generate(alg: Alg) -> Option<Self> {
        let private = match alg {
            Alg::EdDsa => Private::Ed25519(Box::new(Ed25519KeyPair::generate().ok()?)),
            Alg::Es256 => Private::P256(Box::new(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?,
            )),
            Alg::Rs256 => Private::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).ok()?)),
        };
        let mut pair = Self { kid: String::new(), alg, private };
        Digest::of(&pair.public_der()?).hex()[..16].clone_into(&mut pair.kid);
        Some(pair)
    }

    /// The pair that was kept as PKCS #8.
    pub fn from_pkcs8(alg: Alg, bytes: &[u8]) -> Option<Self> {
        let private = match alg {
            Alg::EdDsa => Private::Ed25519(Box::new(Ed25519KeyPair::from_pkcs8(bytes).ok()?)),
            Alg::Es256 => {
                let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
                Private::P256(Box::new(EcdsaKeyPair::from_pkcs8(signing, bytes).ok()?))
            }
            Alg::Rs256 => Private::Rsa(Box::new(RsaKeyPair::from_pkcs8(bytes).ok()?)),
        };
        let mut pair = Self { kid: String::new(), alg, private };
        Digest::of(&pair.public_der()?).hex()[..16].clone_into(&mut pair.kid);
        Some(pair)
    }

    /// The private half as PKCS #8, to be kept.
    pub(super) fn to_pkcs8(&self) -> Option<Vec<u8>> {
        match &self.private {
            Private::Ed25519(key) => Some(key.to_pkcs8().ok()?.as_ref().to_vec()),
            Private::P256(key) => Some(key.to_pkcs8v1().ok()?.as_ref().to_vec()),
            Private::Rsa(key) => {
                let der: Pkcs8V1Der<'_> = key.as_der().ok()?;
                Some(der.as_ref().to_vec())
            }
        }
    }

    /// The same pair under another name.
    pub fn named(self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), ..self }
    }

    /// The name that it is published with.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it signs with.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// Signs a message, as JWS wants it.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.private {
            Private::Ed25519(key) => Some(key.sign(message).as_ref().to_vec()),
            Private::P256(key) => Some(key.sign(&random, message).ok()?.as_ref().to_vec()),
            Private::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }

    /// A compact token over a header and claims, both exactly as they are written.
    pub fn token(&self, header: &str, claims: &str) -> Option<String> {
        let input = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = base64url(&self.sign(input.as_bytes())?);
        Some(format!("{input}.{signature}"))
    }

    /// The header of a right token of this kind: `at+jwt`, `secevent+jwt`.
    pub fn header(&self, typ: &str) -> Value {
        json!({"alg": self.alg.word(), "kid": self.kid, "typ": typ})
    }

    /// The public half as it is published.
    pub fn jwk(&self) -> Value {
        let (alg, kid) = (self.alg.word(), self.kid.as_str());
        match &self.private {
            Private::Ed25519(key) => json!({
                "kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key().as_ref()),
                "alg": alg, "kid": kid, "use": "sig",
            }),
            Private::P256(key) => {
                let (x, y) = halves(key.public_key().as_ref());
                json!({
                    "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y),
                    "alg": alg, "kid": kid, "use": "sig",
                })
            }
            Private::Rsa(key) => {
                let public = key.public_key();
                let modulus = public.modulus().big_endian_without_leading_zero();
                let exponent = public.exponent().big_endian_without_leading_zero();
                json!({
                    "kty": "RSA", "n": base64url(modulus), "e": base64url(exponent),
                    "alg": alg, "kid": kid, "use": "sig",
                })
            }
        }
    }

    /// The public half as SubjectPublicKeyInfo (RFC 5280).
    pub fn public_der(&self) -> Option<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = match &self.private {
            Private::Ed25519(key) => key.public_key().as_der().ok()?,
            Private::P256(key) => key.public_key().as_der().ok()?,
            Private::Rsa(key) => key.public_key().as_der().ok()?,
        };
        Some(der.as_ref().to_vec())
    }
}

/// The two coordinates of an uncompressed point.
fn halves(point: &[u8]) -> (&[u8], &[u8]) {
    let bare = point.get(1..).unwrap_or_default();
    bare.split_at(bare.len() / 2)
}

#[cfg(test)]
mod tests {
    use countersign_seal::jwt::{Expect, VerifyingKey, verify};

    use super::*;

    #[test]
    fn every_kind_of_key_makes_tokens_that_verify_with_what_it_publishes() {
        for alg in Alg::ALL {
            let pair = KeyPair::generate(alg).unwrap();
            let key = VerifyingKey::from_jwk(&pair.jwk()).unwrap();
            let token = pair.token(&pair.header("at+jwt").to_string(), r#"{"iss":"i"}"#).unwrap();
            let expect = Expect { typ: Some("at+jwt"), issuer: Some("i"), ..Expect::default() };
            assert!(verify(&token, &[key], expect).is_ok(), "{alg:?}");
            let stranger = KeyPair::generate(alg).unwrap().named(pair.kid());
            let key = VerifyingKey::from_jwk(&stranger.jwk()).unwrap();
            assert!(verify(&token, &[key], expect).is_err(), "{alg:?}");
        }
    }
}
