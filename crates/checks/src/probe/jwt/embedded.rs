//! Does the resource server refuse a token that brings its own key?
//!
//! The header may carry a public key. A server that verifies with it accepts whatever anybody signs.
//!
//! Source: RFC 7515, section 4.1.3; RFC 8725, section 3.10; JWT-04.

use serde_json::Value;

use super::bench::{Bench, Token, by};
use super::hear::{Refuses, every};
use crate::check::Info;
use crate::harness::keys::{Alg, KeyPair};
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_key_inside_token",
        case: Some("JWT-04"),
        controls: &["CTS-TOK-01"],
        question: "Does the resource server refuse a token that brings its own key?",
        sends: "A right token, then tokens signed with a key of ours that stands in their header as `jwk`, under a name of its own, under the real name and under none, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "Anybody can sign a token with a key of their own.",
        fix: "Verify only with keys that the issuer publishes; take no notice of `jwk` and `x5c` in a token.",
        source: "RFC 7515, section 4.1.3; RFC 8725, section 3.10; JWT-04.",
    },
    case: Refusals {
        one: "a token that brings its own key",
        none: "no token that brings its own key",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: every,
    wrong: &[
        ("own-name", |it| carried(it, Name::Own)),
        ("real-name", |it| carried(it, Name::Real)),
        ("no-name", |it| carried(it, Name::None)),
    ],
    noted: &[],
    limit_ms: None,
};

/// Under which name the key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    None,
    Own,
    Real,
}

fn carried(bench: &Bench, name: Name) -> Option<Token> {
    let alg = bench.signer.pair().map_or(Alg::Es256, KeyPair::alg);
    // An RSA key takes long to make, and this one is trusted by nobody anyway.
    let pair = KeyPair::generate(if alg == Alg::Rs256 { Alg::Es256 } else { alg })?;
    let mut jwk = pair.jwk();
    let mut header = bench.header();
    header.insert("alg".to_owned(), pair.alg().word().into());
    let real = bench.signer.pair().map(|it| it.kid().to_owned());
    let kid = match name {
        Name::None => None,
        Name::Own => Some(pair.kid().to_owned()),
        Name::Real => Some(real.unwrap_or_else(|| "1".to_owned())),
    };
    header.remove("kid");
    if let Some(kid) = kid {
        jwk["kid"] = kid.as_str().into();
        header.insert("kid".to_owned(), kid.into());
    }
    header.insert("jwk".to_owned(), jwk);
    let (header, claims) =
        (Value::Object(header).to_string(), Value::Object(bench.claims()).to_string());
    let who = "signed with the private half of the key in its header";
    by(&super::bench::Signer::Pair(std::sync::Arc::new(pair)), &header, &claims, who)
}
