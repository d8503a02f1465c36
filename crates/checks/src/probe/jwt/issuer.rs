//! Does the resource server refuse a token of another issuer?
//!
//! Many issuers share a host or a product. Who the token is from and whose key signed it have to be the one that is trusted, to the letter.
//!
//! Source: RFC 8725, section 3.8; RFC 9068, section 4; JWT-09.

use serde_json::Value;

use super::bench::{Bench, Signer, Token, by};
use super::hear::{Refuses, every};
use crate::check::Info;
use crate::harness::keys::{Alg, KeyPair};
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_token_of_another_issuer",
        case: Some("JWT-09"),
        controls: &["CTS-TOK-02"],
        question: "Does the resource server refuse a token of another issuer?",
        sends: "A right token, then one without `iss`, one with a slash added to it, one of another tenant at the same host (with either key), and one that names the right issuer and is signed by the other tenant's key, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "Whoever has a tenant at the same product can write tokens.",
        fix: "Compare `iss` exactly with the configured issuer, and verify only with keys of that issuer.",
        source: "RFC 8725, section 3.8; RFC 9068, section 4; JWT-09.",
    },
    case: Refusals {
        one: "a token of another issuer",
        none: "no token of another issuer",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: every,
    wrong: &[
        ("no-issuer", |it| it.without_claim("iss")),
        ("slash-added", |it| it.with_claim("iss", format!("{}/", it.issuer.url()))),
        ("other-tenant-with-our-key", |it| {
            it.with_claim("iss", format!("{}.other", it.issuer.url()))
        }),
        ("other-tenant", |it| other(it, Name::Theirs)),
        ("other-tenants-key", |it| other(it, Name::Ours)),
    ],
    noted: &[],
    limit_ms: None,
};

/// Whom a token says that it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Ours,
    Theirs,
}

/// Signed by another tenant, with its name or with ours.
fn other(bench: &Bench, name: Name) -> Option<Token> {
    let tenant = bench.harness.issuer(&format!("{}.other", bench.name))?;
    let pair = tenant.key(bench.signer.pair().map_or(Alg::Es256, KeyPair::alg))?;
    let mut header = bench.header();
    header.insert("alg".to_owned(), pair.alg().word().into());
    header.insert("kid".to_owned(), pair.kid().into());
    let mut claims = bench.claims();
    if name == Name::Theirs {
        claims.insert("iss".to_owned(), tenant.url().into());
    }
    let who = format!("signed with the key of `{}`", tenant.url());
    let (header, claims) = (Value::Object(header).to_string(), Value::Object(claims).to_string());
    by(&Signer::Pair(pair), &header, &claims, &who)
}
