//! Does the resource server refuse a token in which a member stands twice?
//!
//! Of two members of one name, one hop may read the first and the next the last. Whoever does not refuse such a token has to read the last (RFC 7519, section 4), so a token whose last value is the wrong one is refused in any case.
//!
//! Source: RFC 7515, section 4; RFC 7519, section 4; JWT-12.

use serde_json::Value;

use super::bench::{Bench, Token, raw};
use super::hear::{Refuses, every};
use crate::check::Info;
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_ambiguous_token_members",
        case: Some("JWT-12"),
        controls: &["CTS-TOK-03"],
        question: "Does the resource server refuse a token in which a member stands twice?",
        sends: "A right token, then tokens in which `alg`, `aud` or `exp` stands twice, the wrong value last, and tokens of `alg` none before and after the right one without a signature; for information also those with the right value last; then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "One hop checks one value, and the next acts on the other.",
        fix: "Use a JSON reader that refuses repeated members.",
        source: "RFC 7515, section 4; RFC 7519, section 4; JWT-12.",
    },
    case: Refusals {
        one: "a token with a repeated member",
        none: "no token whose repeated member ends in the wrong value",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: every,
    wrong: &[
        ("audience", |it| in_claims(it, "aud", &it.other_audience().into(), Last::Wrong)),
        ("end", |it| in_claims(it, "exp", &(it.now.seconds() - 3_600).into(), Last::Wrong)),
        ("algorithm", |it| {
            it.written(&in_header(it, Last::Wrong), &Value::Object(it.claims()).to_string())
        }),
        ("none-last-unsigned", |it| Some(unsigned(it, Last::Wrong))),
        ("none-first-unsigned", |it| Some(unsigned(it, Last::Right))),
    ],
    noted: &[
        ("audience-right-last", |it| {
            in_claims(it, "aud", &it.other_audience().into(), Last::Right)
        }),
        ("end-right-last", |it| {
            in_claims(it, "exp", &(it.now.seconds() - 3_600).into(), Last::Right)
        }),
        ("subject", |it| in_claims(it, "sub", &"somebody-else".into(), Last::Wrong)),
    ],
    limit_ms: None,
};

/// Which of two values stands last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Right,
    Wrong,
}

/// The members as text, and one of them once more at the end or at the beginning.
fn twice(right: &Value, name: &str, other: &Value, last: Last) -> String {
    let text = right.to_string();
    let inside = text.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or_default();
    let more = format!("{}:{other}", Value::from(name));
    if last == Last::Wrong {
        format!("{{{inside},{more}}}")
    } else {
        format!("{{{more},{inside}}}")
    }
}

fn in_header(bench: &Bench, last: Last) -> String {
    twice(&Value::Object(bench.header()), "alg", &"none".into(), last)
}

fn in_claims(bench: &Bench, name: &str, other: &Value, last: Last) -> Option<Token> {
    let claims = twice(&Value::Object(bench.claims()), name, other, last);
    bench.written(&Value::Object(bench.header()).to_string(), &claims)
}

fn unsigned(bench: &Bench, last: Last) -> Token {
    let claims = Value::Object(bench.claims()).to_string();
    raw(&in_header(bench, last), &claims, b"", "not signed")
}
