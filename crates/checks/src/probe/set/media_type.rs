//! Does it refuse a security event that is not sent as one?
//!
//! A receiver that takes whatever is posted can be fed by a browser form or by somebody's upload. The
//! media type is how a receiver knows what it reads. A right event goes as JSON and as plain text.
//!
//! Source: RFC 8935, sections 2.1 and 2.4; SET-02.

use super::event::{Event, Maker};
use super::forged::Forged;
use super::judge::{Case, Wanted};
use crate::check::Info;

/// Does it refuse a security event that is not sent as one?
pub(crate) const CHECK: Forged = Forged {
    info: &Info {
        name: "refuses_event_of_another_media_type",
        case: Some("SET-02"),
        controls: &["CTS-SET-01"],
        question: "Does it refuse a security event that is not sent as one?",
        sends: "A right event as `application/json` and as `text/plain`, between two right pushes.",
        passes: "Both are refused (4xx; RFC 8935 asks 400 with `invalid_request`) and have no effect.",
        risk: "What was never meant as an event of ours is read as one.",
        fix: "Take only the media type `application/secevent+jwt`, and answer 400 with `err` `invalid_request` otherwise.",
        source: "RFC 8935, sections 2.1 and 2.4; SET-02.",
    },
    case: Case {
        wanted: Wanted::Refusal,
        one: "an event of another media type",
        none: "no event of another media type",
        expected: "HTTP 400 with invalid_request, and no effect",
    },
    wrong,
};

fn wrong(maker: &Maker, _: &Event) -> Option<Vec<(&'static str, Event)>> {
    let json = Event { media_type: "application/json", ..maker.right("json")? };
    let text = Event { media_type: "text/plain", ..maker.right("text")? };
    Some(vec![("json", json), ("text", text)])
}
