//! Does an event that comes twice take effect once?
//!
//! Senders deliver again when an answer gets lost, and attackers deliver again what they saw. The id
//! of a message is there so that only the first counts. The check does not wait until the end of the
//! window: how long ids are remembered is not seen.
//!
//! Source: Standard Webhooks 1.0 (the id is the idempotency key); WHK-07.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_seal::scheme::standard_webhooks::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{Named, Plan, fresh, hear};
use super::judge::{Case, Wanted, judge};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does an event that comes twice take effect once?
#[derive(Debug, Clone, Copy)]
pub struct AppliesReplayedWebhookOnce;

const CASE: Case =
    Case { wanted: Wanted::OneEffect, one: "a replayed webhook", none: "no replayed webhook" };
const PLAN: Plan = Plan { age: fresh, wrong };

#[async_trait::async_trait]
impl Check for AppliesReplayedWebhookOnce {
    fn info(&self) -> &'static Info {
        &Info {
            name: "applies_replayed_webhook_once",
            case: Some("WHK-07"),
            controls: &["CTS-WHK-02"],
            question: "Does an event that comes twice take effect once?",
            sends: "",
            passes: "",
            risk: "An attacker who saw one delivery can make it happen again and again.",
            fix: "Remember the ids of messages for at least twice the tolerance, and act on each once.",
            source: "Standard Webhooks 1.0 (the id is the idempotency key); WHK-07.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        super::subjects(manifest)
    }

    fn exclusive(&self, _: &str, manifest: &Manifest) -> Option<String> {
        super::exclusive(manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        hear(subject, manifest, talk, &PLAN).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        judge(transcript, &CASE)
    }
}

fn wrong(workshop: &Workshop<'_>, control: &Message) -> Result<Named, WebhookError> {
    // A sender that tries again signs anew: the id stays, time and signature do not.
    let again = workshop.again(control, -1)?;
    Ok(vec![("same-message", control.clone()), ("same-id-signed-anew", again)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(wrong), @r"
        same-message: seen before
        same-id-signed-anew: seen before
        ");
    }
}
