//! Is the name of a key harmless, whatever a token writes there?
//!
//! Servers that build file names or queries from `kid` let a token choose its own key, or run commands. Answers are timed: a query that sleeps shows.
//!
//! Source: RFC 8725, section 3.10; JWT-06.

use serde_json::Value;

use super::bench::{Bench, Token, hs256, input, raw};
use super::hear::{Refuses, every, no_or_too_large};
use crate::check::Info;
use crate::probe::refusal::{Refusals, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "survives_hostile_key_id",
        case: Some("JWT-06"),
        controls: &["CTS-TOK-03"],
        question: "Is the name of a key harmless, whatever a token writes there?",
        sends: "A right token, then tokens whose `kid` is a path to an empty file (keyed with nothing), pieces of SQL, 8 KiB of text and a NUL byte, then a right token again.",
        passes: "Both right tokens are accepted, each of the others is answered with 401 or 403, none with 5xx, and none later than 500 ms or three times a right one.",
        risk: "A token chooses its own key, reads files, or runs queries.",
        fix: "Look up `kid` only among the names of the keys that were read from the issuer, and bound its length.",
        source: "RFC 8725, section 3.10; JWT-06.",
    },
    case: Refusals {
        one: "a token with a hostile key id",
        none: "no token with a hostile key id",
        expected: "401 or 403, as soon as for a right token",
        taken: success,
        refused: no_or_too_large,
        breaking_fails: true,
    },
    applies: every,
    wrong: &[
        ("path-to-nothing", |it| {
            Some(keyed(it, "../../../../../../../../dev/null", b"", "nothing"))
        }),
        ("absolute-path-to-nothing", |it| Some(keyed(it, "/dev/null", b"", "nothing"))),
        ("sql-quote", |it| Some(keyed(it, "x' OR '1'='1", b"", "nothing"))),
        ("sql-union", |it| {
            let kid = "x' UNION SELECT 'countersign' -- ";
            Some(keyed(it, kid, b"countersign", "`countersign`"))
        }),
        ("sql-sleep", |it| Some(keyed(it, "x'; SELECT pg_sleep(3) -- ", b"", "nothing"))),
        ("eight-kib", |it| Some(keyed(it, &"k".repeat(8 * 1024), b"", "nothing"))),
        ("nul-byte", |it| Some(keyed(it, "k\0.pem", b"", "nothing"))),
    ],
    noted: &[],
    limit_ms: Some(500),
};

/// A token of HMAC under this name, so that whatever a server finds there is the key.
fn keyed(bench: &Bench, kid: &str, key: &[u8], words: &str) -> Token {
    let mut header = bench.header();
    header.insert("alg".to_owned(), "HS256".into());
    header.insert("kid".to_owned(), kid.into());
    let (header, claims) =
        (Value::Object(header).to_string(), Value::Object(bench.claims()).to_string());
    let signature = hs256(key, input(&header, &claims).as_bytes());
    raw(&header, &claims, &signature, &format!("HMAC-SHA256 keyed with {words}"))
}
