//! Does the resource server refuse a token with an extension that it cannot know?
//!
//! `crit` names what a verifier has to understand. Who ignores it takes a token for something that it is not.
//!
//! Source: RFC 7515, section 4.1.11; JWT-11.

use serde_json::json;

use super::bench::{Bench, Token};
use super::hear::{Refuses, every};
use crate::check::Info;
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_unknown_critical_header",
        case: Some("JWT-11"),
        controls: &["CTS-TOK-03"],
        question: "Does the resource server refuse a token with an extension that it cannot know?",
        sends: "A right token, then tokens whose `crit` lists an extension of our own, with and without that extension in the header, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "A limit that the issuer put on a token is ignored.",
        fix: "Refuse a token with `crit`, unless each extension in it is understood.",
        source: "RFC 7515, section 4.1.11; JWT-11.",
    },
    case: Refusals {
        one: "a token with an unknown critical extension",
        none: "no token with an unknown critical extension",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: every,
    wrong: &[
        ("extension-there", |it| {
            it.with_header(|it| {
                it.insert("crit".to_owned(), json!([EXTENSION]));
                it.insert(EXTENSION.to_owned(), json!("only-on-sundays"));
            })
        }),
        ("extension-missing", missing),
    ],
    noted: &[],
    limit_ms: None,
};

fn missing(bench: &Bench) -> Option<Token> {
    bench.with_header(|it| {
        it.insert("crit".to_owned(), json!([EXTENSION]));
    })
}

const EXTENSION: &str = "https://countersign.example/no-such-extension";
