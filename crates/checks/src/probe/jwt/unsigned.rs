//! Does the resource server refuse a token without a signature?
//!
//! A server that lets the token say `alg: none` lets anybody write tokens. A right token's claims are sent
//! with `none` in several spellings, without a signature and with one that was kept.
//!
//! Source: RFC 8725, sections 2.1, 3.1 and 3.2; FAPI 2.0 Security Profile, section 5.4.1; JWT-01.

use serde_json::Value;

use super::bench::{Bench, Token, raw};
use super::hear::{Refuses, every};
use crate::check::Info;
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_unsigned_access_token",
        case: Some("JWT-01"),
        controls: &["CTS-TOK-01"],
        question: "Does the resource server refuse a token without a signature?",
        sends: "A right token, then its claims under `alg` none, None, NONE and nOnE, without a signature and with the kept one, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "Anybody can write a token and act as anybody.",
        fix: "Fix the accepted algorithms in the resource server, and never take them from the token.",
        source: "RFC 8725, sections 2.1, 3.1 and 3.2; FAPI 2.0 Security Profile, section 5.4.1; JWT-01.",
    },
    case: Refusals {
        one: "a token without a signature",
        none: "no token without a signature",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: every,
    wrong: &[
        ("none", |it| Some(unsigned(it, "none"))),
        ("none-in-title-case", |it| Some(unsigned(it, "None"))),
        ("none-in-capitals", |it| Some(unsigned(it, "NONE"))),
        ("none-in-mixed-case", |it| Some(unsigned(it, "nOnE"))),
        ("none-with-a-signature", |it| kept(it, "none")),
        ("none-in-mixed-case-with-a-signature", |it| kept(it, "nOnE")),
    ],
    noted: &[],
    limit_ms: None,
};

fn texts(bench: &Bench, alg: &str) -> (String, String) {
    let mut header = bench.header();
    header.insert("alg".to_owned(), alg.into());
    (Value::Object(header).to_string(), Value::Object(bench.claims()).to_string())
}

fn unsigned(bench: &Bench, alg: &str) -> Token {
    let (header, claims) = texts(bench, alg);
    raw(&header, &claims, b"", "not signed: nothing after the second dot")
}

/// The signature of the right token stays.
fn kept(bench: &Bench, alg: &str) -> Option<Token> {
    let right = bench.right()?.text?;
    let (header, claims) = texts(bench, alg);
    let token = raw(&header, &claims, b"", "with the signature of a right token kept");
    let text = format!("{}{}", token.text?, right.rsplit_once('.')?.1);
    Some(Token { text: Some(text), ..token })
}
