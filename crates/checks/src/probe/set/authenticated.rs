//! Does it refuse a security event from somebody who does not authenticate?
//!
//! The push endpoint is for the transmitter alone. A right event goes without our bearer token, with an empty
//! one, and with a wrong one.
//!
//! Source: RFC 8935, sections 2.4 and 4.2; SET-05.

use super::event::{Event, Maker};
use super::forged::Forged;
use super::judge::{Case, Wanted};
use crate::check::Info;

/// Does it refuse a security event from somebody who does not authenticate?
pub(crate) const CHECK: Forged = Forged {
    info: &Info {
        name: "refuses_unauthenticated_transmitter",
        case: Some("SET-05"),
        controls: &["CTS-SET-01"],
        question: "Does it refuse a security event from somebody who does not authenticate?",
        sends: "Right events without our bearer token and with a wrong one, between two right pushes.",
        passes: "Each is refused (401, or 400 with `authentication_failed`) and has no effect.",
        risk: "Whoever got hold of an event can push it, and nobody knows who did.",
        fix: "Ask the transmitter's bearer token (or mutual TLS) at the push endpoint before anything is read.",
        source: "RFC 8935, sections 2.4 and 4.2; SET-05.",
    },
    case: Case {
        wanted: Wanted::Refusal,
        one: "an event from a stranger",
        none: "no event from a stranger",
        expected: "HTTP 401, or 400 with authentication_failed, and no effect",
    },
    wrong,
};

fn wrong(maker: &Maker, _: &Event) -> Option<Vec<(&'static str, Event)>> {
    let nobody = Event { bearer: None, ..maker.right("nobody")? };
    let stranger = Event { bearer: Some(maker.stem.clone()), ..maker.right("stranger")? };
    Some(vec![("nobody", nobody), ("stranger", stranger)])
}
