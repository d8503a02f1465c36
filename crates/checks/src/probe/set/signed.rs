//! Does it refuse a security event that nobody signed, or somebody else?
//!
//! Whoever can make a receiver believe an event can sign everybody out, or back in. One event goes with
//! `alg` `none`, one with a signature of another key under our key's name, one with a claim changed after it
//! was signed, one without its signature.
//!
//! Source: RFC 8935, section 2.4; RFC 8417, section 5; RFC 8725, section 3.1; SET-03.

use countersign_model::time::Period;
use serde_json::json;

use super::event::{Event, Maker};
use super::forged::Forged;
use super::judge::{Case, Wanted};
use crate::check::Info;
use crate::live::base64url;

/// Does it refuse a security event that nobody signed, or somebody else?
pub(crate) const CHECK: Forged = Forged {
    info: &Info {
        name: "refuses_unsigned_security_event",
        case: Some("SET-03"),
        controls: &["CTS-SET-01"],
        question: "Does it refuse a security event that nobody signed, or somebody else?",
        sends: "Four forged events between two right ones: `alg` `none`, another key under our key's name, a claim changed after signing, the signature left out.",
        passes: "Each is refused (4xx; RFC 8935 asks 400 with `invalid_request` or `invalid_key`) and has no effect.",
        risk: "Whoever finds the address can sign everybody out, or back in.",
        fix: "Verify every event with the keys of the transmitter's key set, and with the algorithms that you expect.",
        source: "RFC 8935, section 2.4; RFC 8417, section 5; RFC 8725, section 3.1; SET-03.",
    },
    case: Case {
        wanted: Wanted::Refusal,
        one: "a forged event",
        none: "no forged event",
        expected: "HTTP 400 with invalid_request or invalid_key, and no effect",
    },
    wrong,
};

fn wrong(maker: &Maker, _: &Event) -> Option<Vec<(&'static str, Event)>> {
    let part = |it: &serde_json::Value| base64url(it.to_string().as_bytes());
    let mut none = maker.right("none")?;
    none.header["alg"] = json!("none");
    none.token = format!("{}.{}.", part(&none.header), part(&none.claims));
    none.signed = "with an empty signature";
    let mut foreign = maker.right("foreign")?;
    foreign.token =
        maker.foreign.token(&foreign.header.to_string(), &foreign.claims.to_string())?;
    foreign.signed = "signed with a key that nobody published";
    let mut changed = maker.right("changed")?;
    let signature = changed.token.rsplit('.').next()?.to_owned();
    changed.claims["iat"] = (maker.now - Period::from_seconds(1)).seconds().into();
    changed.token = format!("{}.{}.{signature}", part(&changed.header), part(&changed.claims));
    changed.signed = "with the signature of another `iat`";
    let mut bare = maker.right("bare")?;
    bare.token = format!("{}.{}.", part(&bare.header), part(&bare.claims));
    bare.signed = "with an empty signature";
    Some(vec![("none", none), ("foreign", foreign), ("changed", changed), ("bare", bare)])
}
