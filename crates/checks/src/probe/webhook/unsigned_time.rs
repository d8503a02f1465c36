//! Does the receiver hold the time of an event against its signature?
//!
//! Where the time is not under the signature, or is not read when it cannot be, an old delivery is
//! made new by writing another time over it.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme" (what is signed is id, time and body); WHK-06.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_seal::scheme::standard_webhooks::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{Named, Plan, fresh, hear};
use super::judge::{Case, Wanted, judge};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does the receiver hold the time of an event against its signature?
#[derive(Debug, Clone, Copy)]
pub struct RefusesUnsignedTimestamp;

const CASE: Case = Case {
    wanted: Wanted::NoEffect,
    one: "a webhook with another time than the signed one",
    none: "no webhook with another time than the signed one",
};
const PLAN: Plan = Plan { age: fresh, wrong };

#[async_trait::async_trait]
impl Check for RefusesUnsignedTimestamp {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_unsigned_timestamp",
            case: Some("WHK-06"),
            controls: &["CTS-WHK-02"],
            question: "Does the receiver hold the time of an event against its signature?",
            sends: "",
            passes: "",
            risk: "An attacker who saw one delivery can make it new again by changing a header.",
            fix: "Verify the signature over id, time and body, and refuse a time that is missing or not whole seconds.",
            source: r#"Standard Webhooks 1.0, "Signature scheme" (what is signed is id, time and body); WHK-06."#,
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
    let old = |name: &str, time: Option<String>| {
        let captured = workshop.at(name, workshop.outside().saturating_neg())?;
        Ok::<_, WebhookError>(Message { timestamp: time, ..captured })
    };
    let now = workshop.now;
    Ok(vec![
        ("time-moved-to-now", old("moved", Some(now.seconds().to_string()))?),
        ("time-in-milliseconds", old("milliseconds", Some(now.millis().to_string()))?),
        ("time-that-is-none", old("garbage", Some("now".to_owned()))?),
        ("time-left-out", old("missing", None)?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(wrong), @r"
        time-moved-to-now: no signature matches
        time-in-milliseconds: message's time is too far in the future
        time-that-is-none: header `webhook-timestamp` is malformed
        time-left-out: header `webhook-timestamp` is missing
        ");
    }
}
