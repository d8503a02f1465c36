//! Does a sign-in end on the partner's own site?
//!
//! An app that redirects to wherever a parameter says lends its good name to phishing, and may carry
//! codes and tokens along.
//!
//! We sign in with a landing elsewhere, written in four ways, at the start and at the callback, and
//! follow every redirect.
//!
//! Source: RFC 9700, section 4.11; OAU-15.

use super::SignIn;
use super::judge::{Case, Never};
use super::wrong::{Landing, Wrong};
use crate::check::Info;

/// The check.
pub(crate) static CHECK: SignIn = SignIn {
    info: &Info {
        name: "redirects_only_to_itself",
        case: Some("OAU-15"),
        controls: &["CTS-AUT-04"],
        question: "Does a sign-in end on the partner's own site?",
        sends: "A right sign-in, then sign-ins whose landing (`return_to`, `next` and the like, or the declared names) is elsewhere: an address, two slashes, a backslash, the own name in front of another.",
        passes: "Right codes are redeemed at our token endpoint; no redirect of any chain leads to the address that was put in.",
        risk: "A link to the partner's own site leads people to a copy of it that an attacker runs.",
        fix: "Take only paths that begin with exactly one slash and hold no backslash, or landings from a list.",
        source: "RFC 9700, section 4.11; OAU-15.",
    },
    case: Case {
        never: Never::Leaves,
        one: "a parameter redirects to another site",
        none: "no parameter redirects to another site",
        expected: "no redirect to another site",
        needs_state: false,
    },
    wrong: &[
        Wrong::LandsAtStart(Landing::Absolute),
        Wrong::LandsAtStart(Landing::Slashes),
        Wrong::LandsAtStart(Landing::Backslash),
        Wrong::LandsAtStart(Landing::Prefix),
        Wrong::LandsAtCallback(Landing::Absolute),
        Wrong::LandsAtCallback(Landing::Slashes),
        Wrong::LandsAtCallback(Landing::Backslash),
        Wrong::LandsAtCallback(Landing::Prefix),
    ],
};
