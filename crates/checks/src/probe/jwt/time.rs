//! Does the resource server refuse a token outside its time?
//!
//! A token that never ends is a password. One that ends a minute ago is over; more than 60 seconds of leeway is allowed to nobody. What a token with a far end does is told: its issuer bounds it (CTS-CRD-02).
//!
//! Source: RFC 7519, sections 4.1.4 to 4.1.6; RFC 9068, section 2.2; FAPI 2.0 Security Profile, section 5.3.2.1; JWT-10.

use super::bench::{Bench, Token};
use super::hear::{Refuses, every};
use crate::check::Info;
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_token_outside_its_time",
        case: Some("JWT-10"),
        controls: &["CTS-CRD-02", "CTS-TOK-02"],
        question: "Does the resource server refuse a token outside its time?",
        sends: "A right token, then one that ended 61 s ago, one without an end, one whose end is a text, ones that begin or were issued more than 61 s from now, and one that ends in 100 years, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "A stolen token works for ever.",
        fix: "Demand `exp` as a number, check `exp`, `nbf` and `iat` with at most 60 s of leeway.",
        source: "RFC 7519, sections 4.1.4 to 4.1.6; RFC 9068, section 2.2; FAPI 2.0 Security Profile, section 5.3.2.1; JWT-10.",
    },
    case: Refusals {
        one: "a token outside its time",
        none: "no token outside its time",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: every,
    wrong: &[
        ("ended-61-s-ago", |it| {
            let now = it.now.seconds();
            it.with_claims(|it| {
                it.insert("iat".to_owned(), (now - 361).into());
                it.insert("exp".to_owned(), (now - 61).into());
            })
        }),
        ("no-end", |it| it.without_claim("exp")),
        ("end-as-text", |it| it.with_claim("exp", (it.now.seconds() + 300).to_string())),
        ("begins-later", |it| it.with_claim("nbf", it.now.seconds() + LATER_SECONDS)),
        ("issued-later", |it| it.with_claim("iat", it.now.seconds() + LATER_SECONDS)),
    ],
    noted: &[("ends-in-a-hundred-years", in_a_hundred_years)],
    limit_ms: None,
};

fn in_a_hundred_years(bench: &Bench) -> Option<Token> {
    bench.with_claim("exp", bench.now.seconds() + 100 * 365 * 86_400)
}

/// 61 s, and the time that the request may take on its way.
const LATER_SECONDS: i64 = 61 + 5;
