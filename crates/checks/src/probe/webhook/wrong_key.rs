//! Does the receiver refuse an event that another key signed?
//!
//! A receiver that looks at the form of a signature alone believes anybody who can sign.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme" (keys are unique for each endpoint); the documentation of each scheme; WHK-02.

use countersign_seal::scheme::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{PLAN, Plan, Sent, wrong};
use super::judge::Case;
use super::receiver::{Receiver, every};
use crate::check::Info;

/// Does the receiver refuse an event that another key signed?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "refuses_wrong_webhook_key",
        case: Some("WHK-02"),
        controls: &["CTS-WHK-01"],
        question: "Does the receiver refuse an event that another key signed?",
        sends: "A right event; an event signed in the same way by a key of the same kind that nobody knows; a right event.",
        passes: "A right event is accepted before and after, and has its effect. None of the wrong ones has one: 4xx, or a 2xx that does nothing.",
        risk: "Anybody with a key of his own can make things happen.",
        fix: "Verify against the key of this endpoint alone, with the algorithm of that key.",
        source: r#"Standard Webhooks 1.0, "Signature scheme" (keys are unique for each endpoint); the documentation of each scheme; WHK-02."#,
    },
    about: every,
    plan: Plan { sends, ..PLAN },
    case: Case::no_effect(
        "a webhook that another key signed",
        "no webhook that another key signed",
    ),
};

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let foreign = workshop.signed_by(&workshop.right("foreign")?, &workshop.foreign)?;
    Ok(vec![wrong("foreign-key", foreign)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @"foreign-key: no signature matches");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
