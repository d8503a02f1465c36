//! Does the receiver refuse an event from the future?
//!
//! A message from the future stays fresh for as long as its sender likes.
//!
//! Source: Standard Webhooks 1.0, reference libraries; RFC 9421, section 7.2.2; WHK-05.

use countersign_seal::scheme::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{Needs, PLAN, Plan, Sent, wrong};
use super::judge::Case;
use super::receiver::{Receiver, every};
use crate::check::Info;

/// Does the receiver refuse an event from the future?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "refuses_future_timestamp",
        case: Some("WHK-05"),
        controls: &["CTS-WHK-02"],
        question: "Does the receiver refuse an event from the future?",
        sends: "A right event; correctly signed events whose time lies a minute and a day ahead of the window; a right event.",
        passes: "A right event is accepted before and after, and has its effect. None of the wrong ones has one: 4xx, or a 2xx that does nothing. Where the scheme signs no time the check says so, and passes nothing.",
        risk: "A delivery that was signed for later can be kept and sent again for as long.",
        fix: "Refuse a message whose signed time is further in the future than clocks may differ.",
        source: "Standard Webhooks 1.0, reference libraries; RFC 9421, section 7.2.2; WHK-05.",
    },
    about: every,
    plan: Plan { needs: Needs::SignedTime, sends, ..PLAN },
    case: Case::no_effect("a webhook from the future", "no webhook from the future"),
};

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    Ok(vec![
        wrong("a-minute-ahead-of-the-window", workshop.at("early", workshop.outside())?),
        wrong("a-day-ahead-of-the-window", workshop.at("far", workshop.far_outside())?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @r"
        a-minute-ahead-of-the-window: message's time is too far in the future
        a-day-ahead-of-the-window: message's time is too far in the future
        ");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
