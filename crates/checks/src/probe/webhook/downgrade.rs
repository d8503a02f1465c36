//! Does the receiver refuse an event that was signed with its public key as a shared secret?
//!
//! A public key is known to everybody. A receiver that lets the message choose the algorithm takes a
//! message that anybody made with it, as if it were a shared secret.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme" (symmetric and asymmetric keys); RFC 8725, section 3.1; WHK-10.

use countersign_model::declare::manifest::{EventSubscription, WebhookKey};
use countersign_seal::scheme::{Facts, Signer, WebhookError};

use super::canary::{Message, Workshop};
use super::hear::{PLAN, Plan, Sent, wrong};
use super::judge::Case;
use super::receiver::Receiver;
use crate::check::Info;

/// Does the receiver refuse an event that was signed with its public key as a shared secret?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "refuses_public_key_as_webhook_secret",
        case: Some("WHK-10"),
        controls: &["CTS-WHK-01"],
        question: "Does the receiver refuse an event that was signed with its public key as a shared secret?",
        sends: "A right event, signed with the private key; events signed by HMAC with the public key as the secret, once its 32 bytes and once the text in which receivers configure it; a right event.",
        passes: "A right event is accepted before and after, and has its effect. None of the wrong ones has one: 4xx, or a 2xx that does nothing.",
        risk: "Everybody knows the public key, so anybody can make things happen.",
        fix: "Let the configured key decide about the algorithm, never the version or algorithm that a message names.",
        source: r#"Standard Webhooks 1.0, "Signature scheme" (symmetric and asymmetric keys); RFC 8725, section 3.1; WHK-10."#,
    },
    about: signs_with_key_pair,
    plan: Plan { sends, ..PLAN },
    case: Case::no_effect(
        "a webhook signed with the public key as a secret",
        "no webhook signed with the public key as a secret",
    ),
};

/// With a shared secret there is no public key.
fn signs_with_key_pair(event: &EventSubscription, facts: &Facts) -> bool {
    facts.private && facts.shared && event.signing.key == WebhookKey::Ed25519
}

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let made = workshop.mistaken().into_iter().map(|(name, secret)| {
        let message = workshop.signed_by(&workshop.right(name)?, &Signer::Shared(secret))?;
        Ok(wrong(name, message))
    });
    made.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @r"
        public-key-as-secret: no signature matches
        public-key-text-as-secret: no signature matches
        ");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
