//! Does the receiver refuse a delivery that was made for another endpoint of the same partner?
//!
//! A delivery for one endpoint is known to whoever reads that endpoint. Where another one of the same
//! partner takes it too, the weaker of the two guards both.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme" (keys are unique for each endpoint); RFC 9421, section 7.2.1; WHK-14.

use countersign_seal::scheme::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{PLAN, Plan, Sent, wrong};
use super::judge::Case;
use super::receiver::{Receiver, every};
use crate::check::Info;

/// Does the receiver refuse a delivery that was made for another endpoint of the same partner?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "refuses_webhook_of_another_endpoint",
        case: Some("WHK-14"),
        controls: &["CTS-CRD-06", "CTS-WHK-01"],
        question: "Does the receiver refuse a delivery that was made for another endpoint of the same partner?",
        sends: "A right event to each of two endpoints; a delivery for the other endpoint, signed with its key, to this one; a right event.",
        passes: "A right event is accepted before and after, and has its effect. None of the wrong ones has one: 4xx, or a 2xx that does nothing.",
        risk: "Whoever reads the deliveries of one endpoint can make things happen at another.",
        fix: "Give each endpoint a key of its own, or use a scheme that signs the address.",
        source: r#"Standard Webhooks 1.0, "Signature scheme" (keys are unique for each endpoint); RFC 9421, section 7.2.1; WHK-14."#,
    },
    about: every,
    plan: Plan { sibling: true, sends, ..PLAN },
    case: Case::no_effect(
        "a webhook made for another endpoint",
        "no webhook made for another endpoint",
    ),
};

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let Some(other) = &workshop.sibling else { return Ok(Vec::new()) };
    Ok(vec![wrong("delivery-of-another-endpoint", other.right("captured")?)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::webhook::sample::{event, received, workshop};

    #[test]
    fn a_delivery_of_another_endpoint_is_wrong_here() {
        let (mine, mut other) = (event(), event());
        other.signing.scheme = countersign_model::declare::manifest::WebhookScheme::Stripe;
        other.signing.key = countersign_model::declare::manifest::WebhookKey::HmacSha256;
        let mut workshop_here = workshop(&mine);
        let control = workshop_here.right("control").unwrap();
        assert!(sends(&workshop_here, &control).unwrap().is_empty());
        workshop_here.sibling = Some(Box::new(workshop(&other)));
        let all = sends(&workshop_here, &control).unwrap();
        assert!(received(&all[0].message, &workshop_here).is_err());
    }
}
