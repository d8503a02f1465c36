//! Does the resource server refuse a token that is for somebody else?
//!
//! A token that another resource received could be used here by whoever runs that resource.
//!
//! Source: RFC 8725, section 3.9; RFC 9068, section 4; RFC 9700, section 2.3; JWT-08.

use serde_json::{Value, json};

use super::bench::{Bench, Token};
use super::hear::{Refuses, every};
use crate::check::Info;
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_token_for_another_audience",
        case: Some("JWT-08"),
        controls: &["CTS-TOK-02"],
        question: "Does the resource server refuse a token that is for somebody else?",
        sends: "A right token, then tokens for another resource, for nobody, for a list of others, for an empty list, and for names that only begin or end like the real one, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "Any other API that sees a token can use it here.",
        fix: "Compare `aud` (a text, or each item of a list) with the own identifier, exactly.",
        source: "RFC 8725, section 3.9; RFC 9068, section 4; RFC 9700, section 2.3; JWT-08.",
    },
    case: Refusals {
        one: "a token for somebody else",
        none: "no token for somebody else",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: every,
    wrong: &[
        ("another-resource", |it| it.with_claim("aud", it.other_audience())),
        ("nobody", |it| it.without_claim("aud")),
        ("list-of-others", |it| {
            let others = json!([it.other_audience(), "https://a-third-resource.example"]);
            it.with_claim("aud", others)
        }),
        ("empty-list", |it| it.with_claim("aud", Value::Array(Vec::new()))),
        ("longer", |it| it.with_claim("aud", format!("{}.other.example", it.resource.audience))),
        ("with-something-before", |it| {
            it.with_claim("aud", format!("https://other.example/?{}", it.resource.audience))
        }),
        ("shorter", shorter),
    ],
    noted: &[],
    limit_ms: None,
};

/// The beginning of the real one.
fn shorter(bench: &Bench) -> Option<Token> {
    let mut audience = bench.resource.audience.clone();
    audience.pop();
    if audience.is_empty() { None } else { bench.with_claim("aud", audience) }
}
