//! Does the resource server refuse a token that is made to cost it much, at once?
//!
//! The header of an encrypted token may ask for ten million rounds of key derivation, and a small compressed one may grow a thousandfold. A server that does what such a header says is kept busy by anybody. Answers are timed.
//!
//! Source: RFC 8725bis (draft), sections 3.13 and 3.15; JWT-13.

use std::io::Write as _;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::json;

use super::bench::{Bench, Token, how};
use super::hear::{Refuses, every, no_or_too_large};
use crate::check::Info;
use crate::live::{base64url, entropy};
use crate::probe::refusal::{Refusals, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_costly_token_quickly",
        case: Some("JWT-13"),
        controls: &["CTS-TOK-03"],
        question: "Does the resource server refuse a token that is made to cost it much, at once?",
        sends: "A right token, then an encrypted token with `p2c` = 10000000, an encrypted token of about 1 KiB that grows beyond 250 KiB, and a signed one that says the same of its payload, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is refused within 1 s (or three times a right one) and without 5xx.",
        risk: "A few requests from anybody stop the API.",
        fix: "Accept only signed tokens of the agreed algorithm, and decide so from the header before anything is computed.",
        source: "RFC 8725bis (draft), sections 3.13 and 3.15; JWT-13.",
    },
    case: Refusals {
        one: "a costly token",
        none: "no costly token",
        expected: "401 or 403 within a second",
        taken: success,
        refused: no_or_too_large,
        breaking_fails: true,
    },
    applies: every,
    wrong: &[
        ("ten-million-rounds", rounds),
        ("compressed-jwe", compressed),
        ("compressed-jws", compressed_jws),
    ],
    noted: &[],
    limit_ms: Some(1_000),
};

fn rounds(_: &Bench) -> Option<Token> {
    let header = json!({
        "alg": "PBES2-HS256+A128KW", "enc": "A128CBC-HS256", "typ": "at+jwt",
        "p2c": 10_000_000, "p2s": base64url(&entropy::random::<16>()?),
    });
    let parts = [
        base64url(header.to_string().as_bytes()),
        base64url(&[entropy::random::<32>()?, [0; 32]].concat()[..40]),
        base64url(&entropy::random::<16>()?),
        base64url(&entropy::random::<32>()?),
        base64url(&entropy::random::<16>()?),
    ];
    let how = how(&header.to_string(), "none, as nobody decrypts it", "random key and ciphertext");
    Some(Token { text: Some(parts.join(".")), how })
}

/// Half a MiB that is half a KiB when it is compressed (RFC 1951).
fn bomb(bench: &Bench) -> Option<Vec<u8>> {
    let mut claims = bench.claims();
    claims.insert("pad".to_owned(), "a".repeat(GROWN_BYTES).into());
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(serde_json::Value::Object(claims).to_string().as_bytes()).ok()?;
    encoder.finish().ok()
}

/// Encrypted directly with a key of zeros: whoever unpacks before it asks for a key is caught.
fn compressed(bench: &Bench) -> Option<Token> {
    let header = json!({"alg": "dir", "enc": "A128GCM", "zip": "DEF", "typ": "at+jwt"});
    let protected = base64url(header.to_string().as_bytes());
    let nonce = entropy::random::<12>()?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[0; 16]).ok()?);
    let mut text = bomb(bench)?;
    let aad = Aad::from(protected.as_bytes());
    let nonce_used = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(nonce_used, aad, &mut text).ok()?;
    let parts =
        [protected, String::new(), base64url(&nonce), base64url(&text), base64url(tag.as_ref())];
    let claims = format!("the right ones and `pad`, {GROWN_BYTES} letters, compressed");
    let how = how(&header.to_string(), &claims, "encrypted with a key of zeros");
    Some(Token { text: Some(parts.join(".")), how })
}

fn compressed_jws(bench: &Bench) -> Option<Token> {
    let mut header = bench.header();
    header.insert("zip".to_owned(), "DEF".into());
    let header = serde_json::Value::Object(header).to_string();
    let parts = [base64url(header.as_bytes()), base64url(&bomb(bench)?), base64url(&[7; 64])];
    let claims = format!("the right ones and `pad`, {GROWN_BYTES} letters, compressed");
    Some(Token { text: Some(parts.join(".")), how: how(&header, &claims, "signed by nobody") })
}

const GROWN_BYTES: usize = 512 * 1024;
