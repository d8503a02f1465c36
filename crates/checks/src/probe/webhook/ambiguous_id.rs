//! Does the receiver refuse an id that holds a full stop?
//!
//! What is signed is the id, the time and the body with a full stop between them. An id that holds a
//! full stop lets whoever saw a delivery move bytes from one part to another without touching the
//! signature: an old time becomes part of the id, and what the body begins with becomes the time.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme" (id, time and body are joined by full stops); WHK-12.

use countersign_model::declare::manifest::{EventSubscription, WebhookScheme};
use countersign_seal::scheme::{Facts, WebhookError};

use super::canary::{Message, Workshop};
use super::hear::{PLAN, Plan, Sent, wrong};
use super::judge::Case;
use super::receiver::Receiver;
use crate::check::Info;

/// Does the receiver refuse an id that holds a full stop?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "refuses_ambiguous_webhook_id",
        case: Some("WHK-12"),
        controls: &["CTS-WHK-01"],
        question: "Does the receiver refuse an id that holds a full stop?",
        sends: "A right event; correctly signed events whose id holds a full stop, once between words and once before an old time, as it looks after bytes were moved; a right event.",
        passes: "A right event is accepted before and after, and has its effect. None of the wrong ones has one: 4xx, or a 2xx that does nothing.",
        risk: "An attacker who saw a delivery can give it another id and another time under the same signature, so that it happens again.",
        fix: "Refuse an id that holds a full stop, before the signature is looked at.",
        source: r#"Standard Webhooks 1.0, "Signature scheme" (id, time and body are joined by full stops); WHK-12."#,
    },
    about: joins_by_full_stops,
    plan: Plan { sends, ..PLAN },
    case: Case::no_effect(
        "a webhook whose id holds a full stop",
        "no webhook whose id holds a full stop",
    ),
};

/// The other schemes do not sign an id before the time.
fn joins_by_full_stops(event: &EventSubscription, _: &Facts) -> bool {
    event.signing.scheme == WebhookScheme::StandardWebhooks
}

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let old = workshop.now.seconds().saturating_sub(workshop.far_outside());
    let dotted = workshop.about(format!("{}.1", workshop.id("dotted")), 0)?;
    let moved = workshop.about(format!("{}.{old}", workshop.id("moved")), 0)?;
    Ok(vec![wrong("full-stop-in-id", dotted), wrong("old-time-moved-into-id", moved)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @r"
        full-stop-in-id: message id contains a full stop
        old-time-moved-into-id: message id contains a full stop
        ");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
