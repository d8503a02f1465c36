//! Does the receiver refuse an event that is signed with SHA-1 alone?
//!
//! GitHub still sends a signature with SHA-1 beside the one with SHA-256, for receivers that are
//! older than that. A receiver that is content with it is content with the weaker one.
//!
//! Source: GitHub documentation, "Validating webhook deliveries" (use `X-Hub-Signature-256`); NIST SP 800-131A; WHK-13.

use countersign_seal::scheme::github::LEGACY_SIGNATURE;
use countersign_seal::scheme::{Entry, Shared, Signer, WebhookError};

use super::canary::{Message, Workshop};
use super::hear::{PLAN, Plan, Sent, wrong};
use super::judge::Case;
use super::receiver::{Receiver, every};
use crate::check::Info;

/// Does the receiver refuse an event that is signed with SHA-1 alone?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "refuses_legacy_signature",
        case: Some("WHK-13"),
        controls: &["CTS-WHK-01"],
        question: "Does the receiver refuse an event that is signed with SHA-1 alone?",
        sends: "A right event; an event with a right `X-Hub-Signature: sha1=…` and no other signature; where signatures have versions, the same under the header of the scheme; a right event.",
        passes: "A right event is accepted before and after, and has its effect. None of the wrong ones has one: 4xx, or a 2xx that does nothing.",
        risk: "A signature with a digest that is broken for other uses stands between an attacker and the receiver.",
        fix: "Look at the signature of the scheme alone (`X-Hub-Signature-256` with GitHub), and drop the code for `X-Hub-Signature`.",
        source: r#"GitHub documentation, "Validating webhook deliveries" (use `X-Hub-Signature-256`); NIST SP 800-131A; WHK-13."#,
    },
    about: every,
    plan: Plan { sends, ..PLAN },
    case: Case::no_effect(
        "a webhook signed with SHA-1 alone",
        "no webhook signed with SHA-1 alone",
    ),
};

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let Some(secret) = secret(workshop) else { return Ok(Vec::new()) };
    let mac = |message: &Message| secret.legacy_mac(&message.body);
    let bare = workshop.right("legacy")?;
    let mut legacy = workshop.with(&bare, &[]);
    legacy.sealed.set(LEGACY_SIGNATURE, Some(&format!("sha1={}", mac(&bare))));
    let mut all = vec![wrong("sha1-header-alone", legacy)];
    if workshop.scheme.facts().versions {
        let under = workshop.right("under")?;
        let entry = workshop.entry(&under, &workshop.key)?;
        let weak = Entry { label: "sha1".to_owned(), signature: mac(&under), ..entry };
        all.push(wrong("sha1-under-the-usual-header", workshop.with(&under, &[weak])));
    }
    Ok(all)
}

/// What a receiver could take for a secret.
fn secret(workshop: &Workshop<'_>) -> Option<Shared> {
    match &workshop.key {
        Signer::Private(it) => Shared::from_bytes(it.public().as_bytes()).ok(),
        Signer::Shared(it) => Some(it.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @r"
        sha1-header-alone: header `webhook-signature` is missing
        sha1-under-the-usual-header: no signature matches
        ");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
