//! Who signed a token.

use aws_lc_rs::hmac;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign_seal::jwk::VerifyingKey;
use serde_json::Value;

use super::keys::Key;
use super::read::Token;
use super::{NO, Refused, Resource};
use crate::partner::JwtFault;

impl Resource {
    /// Whether the issuer signed it.
    pub(super) async fn verify(&self, token: &Token) -> Result<(), Refused> {
        let alg = token.text("alg").ok_or(NO)?;
        let kid = token.text("kid");
        if self.has(JwtFault::SkipsSignature)
            || self.has(JwtFault::AcceptsUnsignedToken) && alg.eq_ignore_ascii_case("none")
        {
            return Ok(());
        }
        if let Some(kid) = kid {
            self.odd(kid)?;
            if self.has(JwtFault::ReadsKeyByPath) && kid.contains("dev/null") {
                return if hs256(b"", token) { Ok(()) } else { Err(NO) };
            }
        }
        if self.has(JwtFault::TrustsEmbeddedKey)
            && let Some(jwk) = token.header.get("jwk")
        {
            return by_jwk(jwk, token);
        }
        if self.has(JwtFault::FollowsKeyPointer) {
            let pointers = ["jku", "x5u"].into_iter().filter_map(|it| token.text(it));
            for url in pointers {
                let keys = self.fetch(url).await.unwrap_or_default();
                if keys.iter().any(|it| by_jwk(it, token).is_ok()) {
                    return Ok(());
                }
            }
        }
        if let Some(secret) = self.secret() {
            let right = alg == "HS256" && hs256(secret.as_bytes(), token);
            return if right { Ok(()) } else { Err(NO) };
        }
        let keys = self.keys_of(&format!("{}/jwks", self.issuer_of(token)), kid).await;
        let mut verified = keys.iter().any(|it| self.verifies(it, alg, token));
        if let Some(test) = &self.test_issuer
            && self.has(JwtFault::AcceptsTestTokensInProduction)
        {
            let keys = self.keys_of(&format!("{test}/jwks"), kid).await;
            verified |= keys.iter().any(|it| self.verifies(it, alg, token));
        }
        if verified { Ok(()) } else { Err(NO) }
    }

    /// Whose keys are read: its issuer's, or those of whomever the token names.
    fn issuer_of<'a>(&'a self, token: &'a Token) -> &'a str {
        let named = token.claims.get("iss").and_then(Value::as_str);
        let near = |it: &&str| it.starts_with(&self.setting.harness);
        match named.filter(near) {
            Some(issuer) if self.has(JwtFault::TrustsAnyIssuer) => issuer.trim_end_matches('/'),
            _ => &self.issuer,
        }
    }

    fn odd(&self, kid: &str) -> Result<(), Refused> {
        let is_odd = 1_024 < kid.len() || kid.contains(['\0', '\'']);
        if is_odd && self.has(JwtFault::BreaksOnOddKeyId) {
            return Err(Refused(StatusCode::INTERNAL_SERVER_ERROR));
        }
        Ok(())
    }

    fn verifies(&self, key: &Key, alg: &str, token: &Token) -> bool {
        if self.has(JwtFault::AcceptsPublicKeyAsSecret) && alg == "HS256" {
            return public_forms(&key.jwk).iter().any(|it| hs256(it, token));
        }
        if alg != key.verifying.algorithm() {
            return false;
        }
        let signature = token.signature.as_slice();
        if self.has(JwtFault::AcceptsBlankSignature) && signature.iter().all(|it| *it == 0) {
            return true;
        }
        let raw = raw_of_der(signature).filter(|_| self.has(JwtFault::AcceptsDerSignature));
        key.verifying.verifies(token.input.as_bytes(), raw.as_deref().unwrap_or(signature))
    }
}

fn by_jwk(jwk: &Value, token: &Token) -> Result<(), Refused> {
    let key = VerifyingKey::from_jwk(jwk).map_err(|_| NO)?;
    let right = key.verifies(token.input.as_bytes(), &token.signature);
    if right { Ok(()) } else { Err(NO) }
}

fn hs256(secret: &[u8], token: &Token) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    hmac::verify(&key, token.input.as_bytes(), &token.signature).is_ok()
}

/// The public key as libraries hold it: PEM and JSON Web Key.
fn public_forms(jwk: &Value) -> Vec<Vec<u8>> {
    let mut forms = vec![jwk.to_string().into_bytes()];
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
    if let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) {
        let body = STANDARD.encode([&P256_HEAD[..], &x, &y].concat());
        let lines: Vec<&str> =
            [&body[..64], &body[64..]].into_iter().filter(|it| !it.is_empty()).collect();
        let label = "PUBLIC KEY";
        let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"));
        forms.push(pem.into_bytes());
    }
    forms
}

/// Two numbers in DER, as 64 bytes.
fn raw_of_der(der: &[u8]) -> Option<Vec<u8>> {
    let mut rest = der.strip_prefix(&[0x30])?.get(1..)?;
    let mut raw = Vec::new();
    for _ in 0..2 {
        let length = usize::from(*rest.strip_prefix(&[0x02])?.first()?);
        let number = rest.get(2..2 + length)?;
        rest = rest.get(2 + length..)?;
        let number: Vec<u8> = number.iter().copied().skip_while(|it| *it == 0).collect();
        raw.extend(std::iter::repeat_n(0, 32_usize.checked_sub(number.len())?));
        raw.extend(number);
    }
    Some(raw)
}

/// What stands before the point of a P-256 key (RFC 5480).
const P256_HEAD: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
