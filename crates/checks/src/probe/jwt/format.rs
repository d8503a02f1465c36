//! Does the resource server refuse what is only nearly a token?
//!
//! A right token has three parts of base64url letters. Readers that are more generous read another token than the next hop, and a list of refused tokens misses a spelling of it.
//!
//! Source: RFC 8725bis (draft), section 3.14; RFC 7515, sections 2, 3 and 7; JWT-18.

use serde_json::json;

use super::bench::{Bench, Token};
use super::hear::{Refuses, every};
use crate::check::Info;
use crate::live::base64url;
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_token_in_another_format",
        case: Some("JWT-18"),
        controls: &["CTS-TOK-03"],
        question: "Does the resource server refuse what is only nearly a token?",
        sends: "A right token, then right ones written as JSON (flattened and general), with a fourth part, with five parts, with padding, with letters of ordinary base64, and with a letter that no base64 knows, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "Two hops read one token in two ways, and a revoked one comes back in another spelling.",
        fix: "Accept only the compact form, strictly decoded: three parts, base64url without padding.",
        source: "RFC 8725bis (draft), section 3.14; RFC 7515, sections 2, 3 and 7; JWT-18.",
    },
    case: Refusals {
        one: "something that is only nearly a token",
        none: "nothing that is only nearly a token",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: every,
    wrong: &[
        ("json-flattened", |it| {
            parts(it, "as flattened JSON", |[header, claims, signature]| {
                json!({"protected": header, "payload": claims, "signature": signature}).to_string()
            })
        }),
        ("json-general", |it| {
            parts(it, "as general JSON", |[header, claims, signature]| {
                let one = json!({"protected": header, "signature": signature});
                json!({"payload": claims, "signatures": [one]}).to_string()
            })
        }),
        ("four-parts", |it| parts(it, "with a fourth part", |it| format!("{}.e30", it.join(".")))),
        ("empty-fourth-part", |it| parts(it, "with a dot at its end", |it| it.join(".") + ".")),
        ("five-parts", encrypted),
        ("padding", |it| parts(it, "with `=` at its end", |it| it.join(".") + "=")),
        ("foreign-letter", |it| {
            parts(it, "with `!` in its signature", |[header, claims, signature]| {
                format!("{header}.{claims}.!{signature}")
            })
        }),
        ("ordinary-base64", ordinary),
    ],
    noted: &[],
    limit_ms: None,
};

fn parts(bench: &Bench, words: &str, write: fn([&str; 3]) -> String) -> Option<Token> {
    let right = bench.right()?;
    let text = right.text?;
    let mut parts = text.split('.');
    let text = write([parts.next()?, parts.next()?, parts.next()?]);
    Some(Token { text: Some(text), how: format!("{}, {words}", right.how) })
}

/// An encrypted token whose ciphertext is a right one.
fn encrypted(bench: &Bench) -> Option<Token> {
    let right = bench.right()?;
    let header = json!({"alg": "dir", "enc": "A128GCM", "cty": "JWT"}).to_string();
    let inner = right.text?;
    let parts = [header.as_bytes(), b"", &[0; 12], inner.as_bytes(), &[0; 16]];
    let text = parts.map(base64url).join(".");
    Some(Token { text: Some(text), how: format!("{}, inside a JWE", right.how) })
}

/// A right token whose signature is written with `+` and `/`.
fn ordinary(bench: &Bench) -> Option<Token> {
    for number in 0..TRIES_MAX {
        let right = bench.with_claim("jti", format!("{}-{number}", bench.label))?;
        let text = right.text?;
        let (input, signature) = text.rsplit_once('.')?;
        if signature.contains(['-', '_']) {
            let signature = signature.replace('-', "+").replace('_', "/");
            let how = format!("{}, with `+` and `/` for `-` and `_`", right.how);
            return Some(Token { text: Some(format!("{input}.{signature}")), how });
        }
    }
    None
}

/// Most signatures have such a letter.
const TRIES_MAX: u32 = 64;
