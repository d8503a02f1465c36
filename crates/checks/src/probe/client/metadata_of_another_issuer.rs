//! Does the client refuse metadata that name another issuer than the one that it asked?
//!
//! Whoever serves metadata in another's name chooses the endpoints and the keys that are trusted.
//!
//! We give the client an issuer whose metadata name another one, and one whose metadata name nearly
//! the right one.
//!
//! Source: RFC 8414, section 3.3; OAU-18.

use super::SignIn;
use super::judge::{Case, Never};
use super::wrong::Wrong;
use crate::check::Info;

/// The check.
pub(crate) static CHECK: SignIn = SignIn {
    info: &Info {
        name: "refuses_metadata_of_another_issuer",
        case: Some("OAU-18"),
        controls: &["CTS-AUT-05"],
        question: "Does the client refuse metadata that name another issuer than the one that it asked?",
        sends: "A right sign-in, then sign-ins at issuers whose metadata name another issuer, or the same with a slash at its end, then a right sign-in.",
        passes: "The metadata are read, and no browser is sent to the endpoint that they name; right sign-ins come to their end.",
        risk: "An attacker's server takes the place of a trusted one: its endpoints get the codes, its keys sign the users in.",
        fix: "Compare `issuer` in the metadata with the issuer that their address was made from, character by character, and use nothing of them when they differ.",
        source: "RFC 8414, section 3.3; OAU-18.",
    },
    case: Case {
        never: Never::Begins,
        one: "metadata of another issuer are used",
        none: "no metadata of another issuer are used",
        expected: "no redirect to the endpoint that such metadata name",
        needs_state: false,
    },
    wrong: &[Wrong::MetadataOfAnother, Wrong::MetadataNearby],
};
