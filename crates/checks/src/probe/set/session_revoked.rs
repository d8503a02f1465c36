//! Does a session end when we say that it is revoked?
//!
//! This is what security events are for: a person who was locked out here must not go on working there. A
//! canary signs in, its session is used, an event revokes it, and it is used again until it is refused.
//!
//! Source: CAEP 1.0, session-revoked; SET-08.

use serde_json::json;

use super::access::Ends;
use crate::check::Info;

/// Does a session end when we say that it is revoked?
pub(crate) const CHECK: Ends = Ends {
    info: &Info {
        name: "ends_revoked_session",
        case: Some("SET-08"),
        controls: &["CTS-SET-01"],
        question: "Does a session end when we say that it is revoked?",
        sends: "A `session-revoked` event about a canary that has just signed in; its session is used before and after.",
        passes: "The session is refused (401 or 403) within `stream.within` and the profile's limit, and a canary that signs in anew is let in.",
        risk: "A person who was locked out here goes on working there.",
        fix: "End every session of the subject when `session-revoked` comes, in the store that requests are checked against.",
        source: "CAEP 1.0, session-revoked; SET-08.",
    },
    kind: "session-revoked",
    payload: |_| json!({"initiating_entity": "policy"}),
    ends: |it| &it.session,
    one: "a revoked session",
};
