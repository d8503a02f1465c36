//! Does a key end when we say that it is revoked?
//!
//! A leaked key is worth the time until everybody refuses it. A canary gets a key, the key is used, an event
//! revokes it, and it is used again until it is refused.
//!
//! Source: CAEP 1.0, credential-change; SET-09.

use serde_json::json;

use super::access::Ends;
use crate::check::Info;

/// Does a key end when we say that it is revoked?
pub(crate) const CHECK: Ends = Ends {
    info: &Info {
        name: "ends_revoked_key",
        case: Some("SET-09"),
        controls: &["CTS-SET-01"],
        question: "Does a key end when we say that it is revoked?",
        sends: "A `credential-change` event with `change_type` `revoke` about a canary's key; the key is used before and after.",
        passes: "The key is refused (401 or 403) within `stream.within` and the profile's limit, and a canary with a new key is let in.",
        risk: "A key that was revoked here opens doors there.",
        fix: "Delete the subject's keys of that type when `credential-change` with `revoke` comes.",
        source: "CAEP 1.0, credential-change; SET-09.",
    },
    kind: "credential-change",
    payload: |credential| json!({"credential_type": credential, "change_type": "revoke"}),
    ends: |it| &it.key,
    one: "a revoked key",
};
