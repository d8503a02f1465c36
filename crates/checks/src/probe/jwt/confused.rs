//! Does the resource server refuse a token that is keyed with the issuer's public key?
//!
//! A server that takes the algorithm from the token and hands the public key to it verifies HMAC
//! with a key that everybody knows. The key is sent in each form in which libraries hold it.
//!
//! Source: RFC 8725, sections 2.1 and 3.1; JWT-02.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::declare::manifest::{Resource, TokenAlg};
use serde_json::Value;

use super::bench::{Bench, Token, hs256, input, raw};
use super::hear::Refuses;
use crate::check::Info;
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_public_key_as_hmac_key",
        case: Some("JWT-02"),
        controls: &["CTS-TOK-01"],
        question: "Does the resource server refuse a token that is keyed with the issuer's public key?",
        sends: "A right token, then HS256 tokens keyed with the issuer's public key as PEM (with and without its last line end), as DER and as JSON Web Key, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "Anybody who reads the published key can write tokens.",
        fix: "Bind each key to its one algorithm, and refuse a token whose `alg` is another.",
        source: "RFC 8725, sections 2.1 and 3.1; JWT-02.",
    },
    case: Refusals {
        one: "a token keyed with the issuer's public key",
        none: "no token keyed with the issuer's public key",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: is_asymmetric,
    wrong: &[
        ("pem", |it| {
            Some(keyed(it, format!("{}\n", pem(it)?).as_bytes(), "PEM, last line end kept"))
        }),
        ("pem-without-line-end", |it| {
            Some(keyed(it, pem(it)?.as_bytes(), "PEM, no last line end"))
        }),
        ("der", |it| {
            Some(keyed(it, &it.signer.pair()?.public_der()?, "DER (SubjectPublicKeyInfo)"))
        }),
        ("jwk", |it| {
            Some(keyed(it, it.signer.pair()?.jwk().to_string().as_bytes(), "JSON Web Key"))
        }),
    ],
    noted: &[],
    limit_ms: None,
};

/// Resources whose issuer publishes keys.
pub(super) fn is_asymmetric(resource: &Resource) -> bool {
    resource.alg != TokenAlg::Hs256
}

fn pem(bench: &Bench) -> Option<String> {
    let body = STANDARD.encode(bench.signer.pair()?.public_der()?);
    let lines: Vec<String> =
        body.as_bytes().chunks(64).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    Some(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", lines.join("\n")))
}

fn keyed(bench: &Bench, key: &[u8], form: &str) -> Token {
    let mut header = bench.header();
    header.insert("alg".to_owned(), "HS256".into());
    let (header, claims) =
        (Value::Object(header).to_string(), Value::Object(bench.claims()).to_string());
    let signature = hs256(key, input(&header, &claims).as_bytes());
    let who = format!("HMAC-SHA256 keyed with the bytes of the issuer's public key as {form}");
    raw(&header, &claims, &signature, &who)
}
