//! Does the sender refuse to deliver into its own network?
//!
//! Whoever may register an address makes the partner's servers call it: services that only listen
//! inside, and the place where a cloud hands out credentials.
//!
//! We register addresses that lead inward, written in several ways, cause one delivery, and count who
//! connects. A name that changes where it leads between registration and delivery is not tried.
//!
//! Source: Standard Webhooks 1.0, "Server-side request forgery"; OWASP API7:2023; WHK-15.

use super::{Case, Sending, Wrong};
use crate::check::Info;

/// The check.
pub(crate) static CHECK: Sending = Sending {
    info: &Info {
        name: "delivers_to_no_inward_address",
        case: Some("WHK-15"),
        controls: &["CTS-WHK-04"],
        question: "Does the sender refuse to deliver into its own network?",
        sends: "An address of ours is registered and delivered to; then 127.0.0.1 (plain, as one number, as IPv6), [::1], localhost, a name that leads to loopback, 10.0.0.1 and 169.254.169.254 are registered, and one delivery is caused.",
        passes: "Each is refused (4xx), or it can be seen that nobody connects to it; the right address is delivered to before and after.",
        risk: "Anybody who can register an address reaches services and credentials inside the partner's network.",
        fix: "Resolve the name, refuse every address that is not public, and connect to exactly the address that was looked at, at registration and at each delivery.",
        source: "Standard Webhooks 1.0, \"Server-side request forgery\"; OWASP API7:2023; WHK-15.",
    },
    case: Case {
        one: "an address that leads inward is delivered to",
        none: "no address that leads inward is delivered to",
        expected: "a refusal (4xx), or no connection",
    },
    wrong: &[
        Wrong::Loopback,
        Wrong::LoopbackV6,
        Wrong::MappedV6,
        Wrong::Decimal,
        Wrong::Localhost,
        Wrong::NameInward,
        Wrong::Private,
        Wrong::Metadata,
    ],
};
