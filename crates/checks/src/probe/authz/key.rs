//! The private key with which a client proves itself, and the assertions that it signs.
//!
//! Source: RFC 7515, RFC 7517, RFC 7518 (section 6), RFC 7523, RFC 8037.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_seal::SigningKey;
use serde_json::{Map, Value, json};

/// The private key of a client.
#[derive(Clone)]
pub(crate) struct ProofKey {
    pair: Pair,
    kid: String,
    /// Its public half, as a JSON Web Key.
    public: Value,
}

#[derive(Clone)]
enum Pair {
    Ed25519(SigningKey),
    P256(Arc<EcdsaKeyPair>),
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ProofKey({}, {})", self.algorithm(), self.kid)
    }
}

impl From<SigningKey> for ProofKey {
    fn from(key: SigningKey) -> Self {
        let kid = key.key_id().as_str().to_owned();
        Self { public: key.public().to_jwk(), pair: Pair::Ed25519(key), kid }
    }
}

impl ProofKey {
    /// A private JSON Web Key: Ed25519 or P-256.
    pub(crate) fn from_jwk(text: &str) -> Result<Self, &'static str> {
        let no_key = "it is no private JSON Web Key";
        let jwk: Map<String, Value> = serde_json::from_str(text).map_err(|_| no_key)?;
        let word = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(word(name)?).ok();
        let secret = bytes("d").ok_or(no_key)?;
        let (pair, kid) = match (word("kty"), word("crv")) {
            (Some("OKP"), Some("Ed25519")) => {
                let key = SigningKey::from_seed(secret.try_into().map_err(|_| no_key)?);
                let kid = key.key_id().as_str().to_owned();
                (Pair::Ed25519(key), kid)
            }
            (Some("EC"), Some("P-256")) => {
                let (x, y) = (bytes("x").ok_or(no_key)?, bytes("y").ok_or(no_key)?);
                let public = [&[4], x.as_slice(), y.as_slice()].concat();
                let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair =
                    EcdsaKeyPair::from_private_key_and_public_key(algorithm, &secret, &public);
                (Pair::P256(Arc::new(pair.map_err(|_| no_key)?)), String::new())
            }
            _ => return Err("it is neither an Ed25519 nor a P-256 key"),
        };
        let kid = word("kid").map_or(kid, str::to_owned);
        let is_public = |name: &str| ["alg", "crv", "kid", "kty", "use", "x", "y"].contains(&name);
        let public = jwk.iter().filter(|it| is_public(it.0)).map(|(k, v)| (k.clone(), v.clone()));
        Ok(Self { pair, kid, public: Value::Object(public.collect()) })
    }

    /// Its algorithm: `EdDSA` or `ES256`.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Ed25519(_) => "EdDSA",
            Pair::P256(_) => "ES256",
        }
    }

    /// Its name.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The same key under another name.
    pub(crate) fn named(mut self, kid: &str) -> Self {
        kid.clone_into(&mut self.kid);
        self
    }

    /// Its public half, as a JSON Web Key.
    pub(crate) fn public(&self) -> &Value {
        &self.public
    }

    /// The header of a token that it signs.
    pub(crate) fn header(&self) -> Value {
        let mut header = json!({ "alg": self.algorithm(), "typ": "JWT" });
        if !self.kid.is_empty() {
            header["kid"] = self.kid.as_str().into();
        }
        header
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> Option<String> {
        let input = signing_input(&self.header(), claims);
        let signature = match &self.pair {
            Pair::Ed25519(key) => key.sign(input.as_bytes()).to_vec(),
            Pair::P256(pair) => {
                pair.sign(&SystemRandom::new(), input.as_bytes()).ok()?.as_ref().to_vec()
            }
        };
        Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// What is signed: header and claims, each in base64.
pub(crate) fn signing_input(header: &Value, claims: &Value) -> String {
    let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
    format!("{}.{}", part(header), part(claims))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_seal::jwt::{Expect, VerifyingKey, verify};

    #[test]
    fn a_private_key_signs_what_its_public_half_verifies() {
        let seed = URL_SAFE_NO_PAD.encode([7; 32]);
        let okp = json!({"kty": "OKP", "crv": "Ed25519", "d": seed, "kid": "a",
            "x": SigningKey::from_seed([7; 32]).public().to_jwk()["x"]});
        // RFC 7515, appendix A.3: a published example, no secret.
        let ec = json!({"kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d": concat!("jpsQnnGQmL-YBIffH1136cs", "pYG6-0iY7X1fCE9-E9LI")});
        for jwk in [okp, ec] {
            let key = ProofKey::from_jwk(&jwk.to_string()).unwrap();
            assert!(key.public().get("d").is_none());
            let token = key.sign(&json!({"sub": "a"})).unwrap();
            let public = VerifyingKey::from_jwk(key.public()).unwrap();
            assert!(verify(&token, &[public], Expect::default()).is_ok(), "{key:?}");
        }
        for text in ["", "{}", r#"{"kty":"RSA","n":"AQAB","d":"AQAB"}"#] {
            assert!(ProofKey::from_jwk(text).is_err(), "{text}");
        }
    }
}
