//! Does the receiver refuse an event that nobody signed?
//!
//! Whoever knows the address of a receiver that does not look for a signature makes things happen there.
//!
//! Source: Standard Webhooks 1.0, "Verifying webhook authenticity"; WHK-01.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_seal::scheme::standard_webhooks::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{Named, Plan, fresh, hear};
use super::judge::{Case, Wanted, judge};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does the receiver refuse an event that nobody signed?
#[derive(Debug, Clone, Copy)]
pub struct RefusesUnsignedWebhook;

const CASE: Case =
    Case { wanted: Wanted::NoEffect, one: "an unsigned webhook", none: "no unsigned webhook" };
const PLAN: Plan = Plan { age: fresh, wrong };

#[async_trait::async_trait]
impl Check for RefusesUnsignedWebhook {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_unsigned_webhook",
            case: Some("WHK-01"),
            controls: &["CTS-WHK-01"],
            question: "Does the receiver refuse an event that nobody signed?",
            sends: "",
            passes: "",
            risk: "Anybody who knows the address can make things happen.",
            fix: "Refuse a message without a signature of a known version, before its body is read.",
            source: r#"Standard Webhooks 1.0, "Verifying webhook authenticity"; WHK-01."#,
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
    let mut bare = workshop.right("bare")?;
    bare.signature = None;
    let mut empty = workshop.right("empty")?;
    empty.signature = Some(String::new());
    let mut hollow = workshop.right("hollow")?;
    hollow.signature = Some("v1a,".to_owned());
    let mut unknown = workshop.right("unknown")?;
    let entry = workshop.forged(&unknown)?;
    unknown.signature = Some(entry.replacen("v1a,", "v9,", 1));
    Ok(vec![
        ("no-signature", bare),
        ("empty-signature", empty),
        ("empty-entry", hollow),
        ("unknown-version", unknown),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(wrong), @r"
        no-signature: header `webhook-signature` is missing
        empty-signature: header `webhook-signature` is missing
        empty-entry: no signature matches
        unknown-version: no signature matches
        ");
    }
}
