//! Does the receiver refuse an event from the future?
//!
//! A message from the future stays good until its time has come and passed: it can be kept and sent
//! again for as long.
//!
//! Source: Standard Webhooks 1.0, "Verifying webhook authenticity"; WHK-05.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_seal::scheme::standard_webhooks::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{Named, Plan, fresh, hear};
use super::judge::{Case, Wanted, judge};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does the receiver refuse an event from the future?
#[derive(Debug, Clone, Copy)]
pub struct RefusesFutureTimestamp;

const CASE: Case = Case {
    wanted: Wanted::NoEffect,
    one: "a webhook from the future",
    none: "no webhook from the future",
};
const PLAN: Plan = Plan { age: fresh, wrong };

#[async_trait::async_trait]
impl Check for RefusesFutureTimestamp {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_future_timestamp",
            case: Some("WHK-05"),
            controls: &["CTS-WHK-02"],
            question: "Does the receiver refuse an event from the future?",
            sends: "",
            passes: "",
            risk: "A captured delivery with a late time stays good far longer than allowed.",
            fix: "Refuse a message whose signed time is further ahead than the tolerance (300 s at most).",
            source: r#"Standard Webhooks 1.0, "Verifying webhook authenticity"; WHK-05."#,
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
    Ok(vec![
        ("a-minute-ahead-of-the-window", workshop.at("early", workshop.outside())?),
        ("a-day-ahead-of-the-window", workshop.at("far", workshop.far_outside())?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(wrong), @r"
        a-minute-ahead-of-the-window: message's time is too far in the future
        a-day-ahead-of-the-window: message's time is too far in the future
        ");
    }
}
