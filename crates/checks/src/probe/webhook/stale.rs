//! Does the receiver refuse an event that is too old?
//!
//! Whoever saw a delivery could send it again for ever, as soon as its id is forgotten.
//!
//! Source: Standard Webhooks 1.0, "Verifying webhook authenticity"; Stripe and Slack documentation (5 minutes); RFC 9421, section 7.2.2; WHK-04.

use countersign_seal::scheme::WebhookError;

use super::canary::{Message, Workshop};
use super::hear::{Needs, PLAN, Plan, Sent, four_fifths, wrong};
use super::judge::Case;
use super::receiver::{Receiver, every};
use crate::check::Info;

/// Does the receiver refuse an event that is too old?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "refuses_stale_timestamp",
        case: Some("WHK-04"),
        controls: &["CTS-WHK-02"],
        question: "Does the receiver refuse an event that is too old?",
        sends: "A right event that is nearly as old as is allowed; correctly signed events whose time is a minute and a day beyond the window; a right event. The window is `replay_window`, and 300 s at most.",
        passes: "A right event is accepted before and after, and has its effect. None of the wrong ones has one: 4xx, or a 2xx that does nothing. Where the scheme signs no time the check says so, and passes nothing.",
        risk: "An attacker who saw one delivery can make it happen again much later.",
        fix: "Refuse a message whose signed time is more than the tolerance ago (300 s at most). Where the scheme signs no time, use one that does.",
        source: r#"Standard Webhooks 1.0, "Verifying webhook authenticity"; Stripe and Slack documentation (5 minutes); RFC 9421, section 7.2.2; WHK-04."#,
    },
    about: every,
    plan: Plan { needs: Needs::SignedTime, age: four_fifths, sends, ..PLAN },
    case: Case::no_effect("a stale webhook", "no stale webhook"),
};

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let past = |seconds: i64| seconds.saturating_neg();
    Ok(vec![
        wrong("a-minute-past-the-window", workshop.at("stale", past(workshop.outside()))?),
        wrong("a-day-past-the-window", workshop.at("ancient", past(workshop.far_outside()))?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @r"
        a-minute-past-the-window: message's time is too far in the past
        a-day-past-the-window: message's time is too far in the past
        ");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
