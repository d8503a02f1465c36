//! Does the receiver refuse an event whose time was changed after it was signed?
//!
//! A time that the signature does not cover can be set to now by whoever sends an old delivery again.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme" (what is signed is id, time and body); RFC 9421, section 2.5; Stripe and Slack documentation; WHK-06.

use countersign_seal::scheme::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{Needs, PLAN, Plan, Sent, wrong};
use super::judge::Case;
use super::receiver::{Receiver, every};
use crate::check::Info;

/// Does the receiver refuse an event whose time was changed after it was signed?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "refuses_unsigned_timestamp",
        case: Some("WHK-06"),
        controls: &["CTS-WHK-02"],
        question: "Does the receiver refuse an event whose time was changed after it was signed?",
        sends: "A right event; old events whose signature is right, with the time moved to now, in milliseconds, replaced by a word, and left out; a right event.",
        passes: "A right event is accepted before and after, and has its effect. None of the wrong ones has one: 4xx, or a 2xx that does nothing. Where the scheme signs no time the check says so, and passes nothing.",
        risk: "An attacker makes an old delivery look new, and it happens again.",
        fix: "Verify the signature over the time as it came, and refuse a time that is missing or not whole seconds.",
        source: r#"Standard Webhooks 1.0, "Signature scheme" (what is signed is id, time and body); RFC 9421, section 2.5; Stripe and Slack documentation; WHK-06."#,
    },
    about: every,
    plan: Plan { needs: Needs::SignedTime, sends, ..PLAN },
    case: Case::no_effect("a webhook with a changed time", "no webhook with a changed time"),
};

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let old = |name: &'static str, time: Option<String>| {
        let mut captured = workshop.at(name, workshop.outside().saturating_neg())?;
        workshop.scheme.set_time(&mut captured.sealed, time.as_deref());
        Ok(captured)
    };
    let now = workshop.now;
    Ok(vec![
        wrong("time-moved-to-now", old("moved", Some(now.seconds().to_string()))?),
        wrong("time-in-milliseconds", old("milliseconds", Some(now.millis().to_string()))?),
        wrong("time-that-is-none", old("garbage", Some("now".to_owned()))?),
        wrong("time-left-out", old("missing", None)?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @r"
        time-moved-to-now: no signature matches
        time-in-milliseconds: message's time is too far in the future
        time-that-is-none: header `webhook-timestamp` is malformed
        time-left-out: header `webhook-timestamp` is missing
        ");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
