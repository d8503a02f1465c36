//! Does the receiver refuse an event that is too old?
//!
//! Whoever saw a delivery could send it again for ever, as soon as its id is forgotten.
//!
//! Source: Standard Webhooks 1.0, "Verifying webhook authenticity"; WHK-04.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_seal::scheme::standard_webhooks::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{Named, Plan, four_fifths, hear};
use super::judge::{Case, Wanted, judge};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does the receiver refuse an event that is too old?
#[derive(Debug, Clone, Copy)]
pub struct RefusesStaleTimestamp;

const CASE: Case =
    Case { wanted: Wanted::NoEffect, one: "a stale webhook", none: "no stale webhook" };
const PLAN: Plan = Plan { age: four_fifths, wrong };

#[async_trait::async_trait]
impl Check for RefusesStaleTimestamp {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_stale_timestamp",
            case: Some("WHK-04"),
            controls: &["CTS-WHK-02"],
            question: "Does the receiver refuse an event that is too old?",
            sends: "",
            passes: "",
            risk: "An attacker who saw one delivery can make it happen again much later.",
            fix: "Refuse a message whose signed time is more than the tolerance ago (300 s at most).",
            source: r#"Standard Webhooks 1.0, "Verifying webhook authenticity"; WHK-04."#,
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

fn wrong(workshop: &Workshop<'_>, _: &Message) -> Result<Named, WebhookError> {
    let past = |seconds: i64| seconds.saturating_neg();
    Ok(vec![
        ("a-minute-past-the-window", workshop.at("stale", past(workshop.outside()))?),
        ("a-day-past-the-window", workshop.at("ancient", past(workshop.far_outside()))?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(wrong), @r"
        a-minute-past-the-window: message's time is too far in the past
        a-day-past-the-window: message's time is too far in the past
        ");
    }
}
