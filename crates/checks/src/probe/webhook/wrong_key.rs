//! Does the receiver refuse an event that another key signed?
//!
//! A receiver that looks at the form of a signature alone believes anybody who can sign.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme" (keys are unique for each endpoint); WHK-02, WHK-10.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_seal::scheme::standard_webhooks::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{Named, Plan, fresh, hear};
use super::judge::{Case, Wanted, judge};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does the receiver refuse an event that another key signed?
#[derive(Debug, Clone, Copy)]
pub struct RefusesWrongWebhookKey;

const CASE: Case = Case {
    wanted: Wanted::NoEffect,
    one: "a webhook that another key signed",
    none: "no webhook that another key signed",
};
const PLAN: Plan = Plan { age: fresh, wrong };

#[async_trait::async_trait]
impl Check for RefusesWrongWebhookKey {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_wrong_webhook_key",
            case: Some("WHK-02"),
            controls: &["CTS-WHK-01"],
            question: "Does the receiver refuse an event that another key signed?",
            sends: "",
            passes: "",
            risk: "Anybody with a key of his own can make things happen.",
            fix: "Verify against the key of this endpoint alone, with the algorithm of that key.",
            source: r#"Standard Webhooks 1.0, "Signature scheme" (keys are unique for each endpoint); WHK-02, WHK-10."#,
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
    let mut foreign = workshop.right("foreign")?;
    foreign.signature = Some(workshop.forged(&foreign)?);
    let mut wrong = vec![("foreign-key", foreign)];
    let mut symmetric = workshop.right("symmetric")?;
    if let Some(signature) = workshop.downgraded(&symmetric)? {
        symmetric.signature = Some(signature);
        wrong.push(("public-key-as-secret", symmetric));
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(wrong), @r"
        foreign-key: no signature matches
        public-key-as-secret: no signature matches
        ");
    }
}
