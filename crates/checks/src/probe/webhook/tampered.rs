//! Does the receiver refuse an event whose body was changed after it was signed?
//!
//! A receiver that checks what it parsed, and not the bytes that came, can be led to read another
//! message than the one that was signed.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme"; WHK-03.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_seal::scheme::standard_webhooks::WebhookError;

use super::canary::{CANARY, Message, Workshop};
use super::hear::{Named, Plan, fresh, hear};
use super::judge::{Case, Wanted, judge};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does the receiver refuse an event whose body was changed after it was signed?
#[derive(Debug, Clone, Copy)]
pub struct RefusesTamperedWebhookBody;

const CASE: Case = Case {
    wanted: Wanted::NoEffect,
    one: "a webhook with a changed body",
    none: "no webhook with a changed body",
};
const PLAN: Plan = Plan { age: fresh, wrong };

#[async_trait::async_trait]
impl Check for RefusesTamperedWebhookBody {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_tampered_webhook_body",
            case: Some("WHK-03"),
            controls: &["CTS-WHK-01"],
            question: "Does the receiver refuse an event whose body was changed after it was signed?",
            sends: "",
            passes: "",
            risk: "An attacker on the way can change what an event says.",
            fix: "Verify the signature over the raw bytes of the body, before anything parses them.",
            source: r#"Standard Webhooks 1.0, "Signature scheme"; WHK-03."#,
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
    let mut other = workshop.right("other")?;
    let mut spaced = workshop.right("spaced")?;
    other.body = changed(&other.body);
    spaced.body = respaced(&spaced.body);
    Ok(vec![("one-byte", other), ("other-spacing", spaced)])
}

/// The same JSON about somebody else: one letter of a name differs, or one digit of its time where
/// no name is declared.
fn changed(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    let name = body.windows(CANARY.len()).position(|it| it == CANARY).map(|it| it + CANARY.len());
    let place = name.or_else(|| body.iter().rposition(u8::is_ascii_digit));
    if let Some(byte) = place.and_then(|it| body.get_mut(it)) {
        *byte = if *byte == b'0' { b'1' } else { b'0' };
    }
    body
}

/// The same JSON with other spacing.
fn respaced(body: &[u8]) -> Vec<u8> {
    let value = serde_json::from_slice::<serde_json::Value>(body).ok();
    value
        .and_then(|it| serde_json::to_vec_pretty(&it).ok())
        .unwrap_or_else(|| [body, b"\n"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(wrong), @r"
        one-byte: no signature matches
        other-spacing: no signature matches
        ");
    }
}
