//! Does an event that comes twice take effect once?
//!
//! Senders deliver again when an answer gets lost, and attackers deliver again what they saw. The id
//! of a message is there so that only the first counts. Where the scheme does not sign the id, anybody
//! can change it: the same message comes under another id too. Whoever forgets an id before the window
//! of its message ends lets it take effect again: it comes once more, a second before that end.
//!
//! Source: Standard Webhooks 1.0 (the id is the idempotency key); Shopify documentation, "Ignore duplicates"; RFC 9421, section 7.2.2 (`nonce`); WHK-07.

use countersign_seal::scheme::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{PLAN, Plan, Sent, header_id, wrong};
use super::judge::{Case, Wanted};
use super::receiver::{Receiver, every};
use crate::check::Info;

/// Does an event that comes twice take effect once?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "applies_replayed_webhook_once",
        case: Some("WHK-07"),
        controls: &["CTS-WHK-02"],
        question: "Does an event that comes twice take effect once?",
        sends: "A right event; the same message again; the same id signed anew a second or two earlier, as a sender that tries again does; where the id is not signed, the same message under another id; a right event; a second before the window ends, counted from when it was signed, the first message once more as it was; a right event. The window is `replay_window`, and 300 s at most.",
        passes: "Every event had one effect, also when it came again as its window ended. Any answer is right. Where the id is not signed and another id has another effect, the check says so, and passes nothing.",
        risk: "An attacker who saw one delivery can make it happen again and again.",
        fix: "Remember the ids of messages for at least twice the tolerance, and act on each once. Where the scheme does not sign the id, remember the digest of the body.",
        source: r#"Standard Webhooks 1.0 (the id is the idempotency key); Shopify documentation, "Ignore duplicates"; RFC 9421, section 7.2.2 (`nonce`); WHK-07."#,
    },
    about: every,
    plan: Plan { late: true, sends, ..PLAN },
    case: Case {
        wanted: Wanted::OneEffect,
        ..Case::no_effect("a replayed webhook", "no replayed webhook")
    },
};

fn sends(workshop: &Workshop<'_>, control: &Message) -> Result<Vec<Sent>, WebhookError> {
    let facts = workshop.scheme.facts();
    let mut all = vec![wrong("same-message", control.clone())];
    // A sender that tries again signs anew: the id stays, time and signature do not. A second may have
    // passed since the first time, so that a second ago is the same moment.
    for seconds in [-1, -2] {
        let again = workshop.again(control, seconds)?;
        if again.sealed != control.sealed {
            all.push(wrong("same-id-signed-anew", again));
            break;
        }
    }
    if let Some(header) = header_id(facts).filter(|_| !facts.id_signed && workshop.counts) {
        let mut renamed = control.clone();
        renamed.id = workshop.id("renamed");
        for (name, value) in &mut renamed.sealed.headers {
            // Some schemes have the id in a second header.
            if name == header || *value == control.id {
                renamed.id.clone_into(value);
            }
        }
        all.push(wrong("same-message-under-another-id", renamed));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @r"
        same-message: seen before
        same-id-signed-anew: seen before
        ");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
