//! Does the resource server refuse a signed token of another kind?
//!
//! One issuer signs ID tokens, logout tokens, events and proofs with the same keys. A server that does not look at the kind takes each of them for an access token.
//!
//! Source: RFC 9068, section 4; RFC 8725, sections 3.11 and 3.12; JWT-07.

use serde_json::json;

use super::bench::{Bench, Token};
use super::hear::{Refuses, every};
use crate::check::Info;
use crate::probe::refusal::{Refusals, no, success};
use countersign_model::declare::manifest::TokenType;

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_token_of_another_type",
        case: Some("JWT-07"),
        controls: &["CTS-TOK-02"],
        question: "Does the resource server refuse a signed token of another kind?",
        sends: "A right token, then an ID token, a logout token, a security event, a DPoP proof and a client assertion, each signed by the real issuer, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "A token that was given out for something harmless opens the API.",
        fix: "Accept only `at+jwt` (or `application/at+jwt`) as `typ`, as RFC 9068 wants it.",
        source: "RFC 9068, section 4; RFC 8725, sections 3.11 and 3.12; JWT-07.",
    },
    case: Refusals {
        one: "a token of another kind",
        none: "no token of another kind",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: every,
    wrong: &[
        ("id-token", |it| of_kind(it, "JWT", &[("nonce", json!("n-1"))])),
        ("no-kind", |it| typed(it, None)),
        ("dpop-proof", |it| {
            of_kind(it, "dpop+jwt", &[("htm", json!("GET")), ("htu", json!(it.resource.audience))])
        }),
        ("logout-token", |it| {
            let event = "http://schemas.openid.net/event/backchannel-logout";
            of_kind(it, "logout+jwt", &[("events", json!({ event: {} })), ("sid", json!("s-1"))])
        }),
        ("security-event", |it| {
            let event = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
            of_kind(it, "secevent+jwt", &[("events", json!({ event: {} }))])
        }),
        ("client-assertion", |it| {
            of_kind(it, "client-authentication+jwt", &[("iss", json!("countersign-probe"))])
        }),
    ],
    noted: &[],
    limit_ms: None,
};

/// A token of another kind. Where the kind is not declared, an ID token is told by whom it is for.
fn of_kind(bench: &Bench, typ: &str, more: &[(&str, serde_json::Value)]) -> Option<Token> {
    let mut header = bench.header();
    header.insert("typ".to_owned(), typ.into());
    let mut claims = bench.claims();
    claims.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    if typ == "JWT" && bench.resource.token_type == TokenType::Jwt {
        claims.insert("aud".to_owned(), "countersign-probe".into());
    }
    bench.signed(header, claims)
}

/// A right token that does not say what it is, where right tokens say it.
fn typed(bench: &Bench, typ: Option<&str>) -> Option<Token> {
    if bench.resource.token_type == TokenType::Jwt {
        return None;
    }
    bench.with_header(|it| {
        match typ {
            Some(typ) => it.insert("typ".to_owned(), typ.into()),
            None => it.remove("typ"),
        };
    })
}
