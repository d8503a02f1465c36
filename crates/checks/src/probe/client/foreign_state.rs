//! Does the client refuse an answer that does not belong to the browser that brings it?
//!
//! Without a state that is bound to the browser, an attacker signs a victim in to an account of the
//! attacker's own, and reads what the victim puts there.
//!
//! We bring answers with no state, a made-up one, one that was used before, and one that another
//! browser began.
//!
//! Source: RFC 9700, sections 2.1 and 4.7; OAU-13.

use super::SignIn;
use super::judge::{Case, Never};
use super::wrong::Wrong;
use crate::check::Info;

/// The check.
pub(crate) static CHECK: SignIn = SignIn {
    info: &Info {
        name: "refuses_foreign_state",
        case: Some("OAU-13"),
        controls: &["CTS-AUT-04"],
        question: "Does the client refuse an answer that does not belong to the browser that brings it?",
        sends: "A right sign-in, then answers without a state, with a made-up state, with a used one, and with the state of another browser, then a right sign-in.",
        passes: "Right codes are redeemed at our token endpoint; no code of a wrong answer is.",
        risk: "An attacker signs somebody in to the attacker's account, or ties the attacker's account to somebody else's.",
        fix: "Make a random state for each sign-in, keep it with the browser's session, compare it when the answer comes, and use it once.",
        source: "RFC 9700, sections 2.1 and 4.7; OAU-13.",
    },
    case: Case {
        never: Never::Redeems,
        one: "an answer is taken that does not belong to the browser",
        none: "no answer is taken that does not belong to the browser",
        expected: "a refusal, and no token request",
        needs_state: true,
    },
    wrong: &[
        Wrong::NoState,
        Wrong::MadeUpState,
        Wrong::UsedState,
        Wrong::StateOfAnotherBrowser,
        Wrong::StateWithoutBrowser,
    ],
};
