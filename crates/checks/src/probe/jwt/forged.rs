//! Does the resource server refuse a token whose signature is wrong?
//!
//! Also no token at all is sent: an API that asks for none protects nothing.
//!
//! Source: RFC 8725, section 3.3; JWT-03.

use serde_json::Value;

use super::bench::{Bench, Token, by};
use super::hear::{Refuses, every};
use crate::check::Info;
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_bad_token_signature",
        case: Some("JWT-03"),
        controls: &["CTS-TOK-01"],
        question: "Does the resource server refuse a token whose signature is wrong?",
        sends: "A right token, then one with a flipped bit in its signature, one without a signature, one with other claims under the old signature, one signed by another key under the real key's name, and no token at all, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "Anybody can change a token, or write one.",
        fix: "Verify the signature of every token with the issuer's key before anything in it is used.",
        source: "RFC 8725, section 3.3; JWT-03.",
    },
    case: Refusals {
        one: "a token with a wrong signature",
        none: "no token with a wrong signature",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: every,
    wrong: &[
        ("flipped-bit", |it| changed(it, "with the first bit of its signature flipped", flip)),
        ("no-signature", |it| {
            changed(it, "with everything after the second dot cut off", |text| {
                Some(format!("{}.", text.rsplit_once('.')?.0))
            })
        }),
        ("other-claims", other_claims),
        ("another-key", another_key),
        ("no-token", |_| Some(Token { text: None, how: "no token is sent".to_owned() })),
    ],
    noted: &[],
    limit_ms: None,
};

fn changed(bench: &Bench, words: &str, change: fn(&str) -> Option<String>) -> Option<Token> {
    let right = bench.right()?;
    Some(Token { text: Some(change(&right.text?)?), how: format!("{}, {words}", right.how) })
}

/// The first letter of the signature carries six whole bits of it.
fn flip(text: &str) -> Option<String> {
    let (input, signature) = text.rsplit_once('.')?;
    let first = signature.chars().next()?;
    let other = if first == 'A' { 'B' } else { 'A' };
    Some(format!("{input}.{other}{}", signature.get(1..)?))
}

fn other_claims(bench: &Bench) -> Option<Token> {
    let signature = bench.right()?.text?.rsplit_once('.')?.1.to_owned();
    let other = bench.with_claim("sub", "somebody-else")?;
    let input = other.text?.rsplit_once('.')?.0.to_owned();
    let how = format!("{}, but with the signature of another token", other.how);
    Some(Token { text: Some(format!("{input}.{signature}")), how })
}

fn another_key(bench: &Bench) -> Option<Token> {
    let (header, claims) = (Value::Object(bench.header()), Value::Object(bench.claims()));
    let who = "signed by a key of an attacker under the name of the real one";
    by(&bench.signer.stranger()?, &header.to_string(), &claims.to_string(), who)
}
