//! Does it refuse a security event of somebody else, or for somebody else?
//!
//! Transmitters sign events for many receivers, and receivers hear several transmitters. An event for another
//! receiver, or in another transmitter's name, must lead to nothing, though its signature holds.
//!
//! Source: RFC 8935, section 2.4; RFC 8417, section 2.2; SET-04.

use serde_json::{Value, json};

use super::event::{Event, Maker};
use super::forged::Forged;
use super::judge::{Case, Wanted};
use crate::check::Info;

/// Does it refuse a security event of somebody else, or for somebody else?
pub(crate) const CHECK: Forged = Forged {
    info: &Info {
        name: "refuses_misaddressed_security_event",
        case: Some("SET-04"),
        controls: &["CTS-SET-01"],
        question: "Does it refuse a security event of somebody else, or for somebody else?",
        sends: "Four events with our signature between two right ones: another `iss`, our `iss` with a slash more, another `aud`, no `aud`.",
        passes: "Each is refused (4xx; RFC 8935 asks 400 with `invalid_issuer` or `invalid_audience`) and has no effect.",
        risk: "An event that another receiver got is played to this one.",
        fix: "Compare `iss` and `aud` of every event, character by character, with what was agreed.",
        source: "RFC 8935, section 2.4; RFC 8417, section 2.2; SET-04.",
    },
    case: Case {
        wanted: Wanted::Refusal,
        one: "a misaddressed event",
        none: "no misaddressed event",
        expected: "HTTP 400 with invalid_issuer or invalid_audience, and no effect",
    },
    wrong,
};

fn wrong(maker: &Maker, _: &Event) -> Option<Vec<(&'static str, Event)>> {
    let with = |name: &str, claim: &str, value: Value| {
        let event = maker.right(name)?;
        let mut claims = event.claims;
        match value {
            Value::Null => drop(claims.as_object_mut()?.remove(claim)),
            value => claims[claim] = value,
        }
        maker.sign(event.jti, event.header, claims)
    };
    Some(vec![
        ("other-issuer", with("other-issuer", "iss", json!("https://issuer.invalid/other"))?),
        ("issuer-slash", with("issuer-slash", "iss", json!(format!("{}/", maker.issuer)))?),
        ("other-audience", with("other-audience", "aud", json!("https://receiver.invalid/other"))?),
        ("no-audience", with("no-audience", "aud", Value::Null)?),
    ])
}
