//! Does the sender deliver only to whom it can verify, and nowhere else?
//!
//! A delivery without TLS, or to a server that nobody vouches for, is read on its way; one that
//! follows redirects goes wherever the receiver wants.
//!
//! We register addresses without TLS, with wrong certificates, and such as redirect, cause one
//! delivery, and count what arrives.
//!
//! Source: Standard Webhooks 1.0, "Enforcing HTTPS" and "3xx: Failure"; WHK-16.

use super::{Case, Sending, Wrong};
use crate::check::Info;

/// The check.
pub(crate) static CHECK: Sending = Sending {
    info: &Info {
        name: "delivers_only_to_verified_servers",
        case: Some("WHK-16"),
        controls: &["CTS-WHK-04"],
        question: "Does the sender deliver only to whom it can verify, and nowhere else?",
        sends: "An address of ours is registered and delivered to; then one without TLS, with an expired certificate, a self-signed one and one of another name, and two that redirect (302 elsewhere, 307 to loopback) are registered, and one delivery is caused.",
        passes: "No delivery arrives without TLS, behind a wrong certificate, or where a redirect leads; the right address is delivered to before and after.",
        risk: "Deliveries are read or answered by somebody else, or make the sender call addresses inside its network.",
        fix: "Deliver over https alone, verify certificate and name, and treat every 3xx as a failed delivery.",
        source: "Standard Webhooks 1.0, \"Enforcing HTTPS\" and \"3xx: Failure\"; WHK-16.",
    },
    case: Case {
        one: "a delivery goes to a server that it must not go to",
        none: "no delivery goes to a server that it must not go to",
        expected: "a refusal (4xx), or a delivery that fails",
    },
    wrong: &[
        Wrong::NoTls,
        Wrong::Expired,
        Wrong::SelfSigned,
        Wrong::OtherHost,
        Wrong::Redirects,
        Wrong::RedirectsInward,
    ],
};
