//! Does the client refuse a code that another authorization server sent?
//!
//! A client that does not look at who answers hands the code of one server to another one: the
//! attacker's.
//!
//! We begin sign-ins at a server of ours whose metadata promise `iss`, and bring answers to the
//! callback that name another server, or none.
//!
//! Source: RFC 9207, section 2.4; RFC 9700, section 4.4; OAU-12.

use super::SignIn;
use super::judge::{Case, Never};
use super::wrong::Wrong;
use crate::check::Info;

/// The check.
pub(crate) static CHECK: SignIn = SignIn {
    info: &Info {
        name: "refuses_code_of_another_issuer",
        case: Some("OAU-12"),
        controls: &["CTS-AUT-04"],
        question: "Does the client refuse a code that another authorization server sent?",
        sends: "A right sign-in, then answers whose `iss` names another server or is missing although the metadata promise it, then a right sign-in.",
        passes: "Right codes are redeemed at our token endpoint; no code of a wrong answer is.",
        risk: "An attacker who runs one server gets the codes, and so the access, that another server gave out.",
        fix: "Compare `iss` of the answer with the issuer of the sign-in, exactly, before the code is used; refuse an answer without it where the metadata promise it.",
        source: "RFC 9207, section 2.4; RFC 9700, section 4.4; OAU-12.",
    },
    case: Case {
        never: Never::Redeems,
        one: "a code of another issuer is redeemed",
        none: "no code of another issuer is redeemed",
        expected: "a refusal, and no token request",
        needs_state: false,
    },
    wrong: &[Wrong::OtherIssuer, Wrong::NoIssuer],
};
