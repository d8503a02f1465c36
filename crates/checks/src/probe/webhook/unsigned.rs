//! Does the receiver refuse an event without a signature?
//!
//! A receiver that takes an event without a signature takes it from anybody.
//!
//! Source: Standard Webhooks 1.0, "Verifying webhook authenticity"; RFC 9421, section 3.2; the documentation of each scheme; WHK-01.

use countersign_seal::scheme::{Entry, WebhookError};

use super::canary::{Message, Workshop};
use super::hear::{PLAN, Plan, Sent, wrong};
use super::judge::Case;
use super::receiver::{Receiver, every};
use crate::check::Info;

/// Does the receiver refuse an event without a signature?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "refuses_unsigned_webhook",
        case: Some("WHK-01"),
        controls: &["CTS-WHK-01"],
        question: "Does the receiver refuse an event without a signature?",
        sends: "A right event; the same kind of event without the signature, with an empty one, with one that holds nothing, and with one of a version that does not exist, where the scheme has versions; a right event.",
        passes: "A right event is accepted before and after, and has its effect. None of the wrong ones has one: 4xx, or a 2xx that does nothing.",
        risk: "Anybody who knows the address can make things happen.",
        fix: "Refuse a message unless a signature of a version that you know verifies over everything that the scheme signs.",
        source: r#"Standard Webhooks 1.0, "Verifying webhook authenticity"; RFC 9421, section 3.2; the documentation of each scheme; WHK-01."#,
    },
    about: every,
    plan: Plan { sends, ..PLAN },
    case: Case::no_effect("an unsigned webhook", "no unsigned webhook"),
};

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let bare = workshop.right("bare")?;
    let mut all = vec![wrong("no-signature", workshop.with(&bare, &[]))];
    if let Some(header) = workshop.signature_header() {
        let mut empty = workshop.right("empty")?;
        empty.sealed.set(header, Some(""));
        all.push(wrong("empty-signature", empty));
    }
    let hollow = workshop.right("hollow")?;
    let entry = workshop.entry(&hollow, &workshop.key)?;
    let nothing = Entry { signature: String::new(), ..entry };
    let hollow = workshop.with(&hollow, &[nothing]);
    // Where a signature has no name, one that holds nothing is an empty one.
    if !all.iter().any(|it| it.message.sealed.headers == hollow.sealed.headers) {
        all.push(wrong("empty-entry", hollow));
    }
    if workshop.scheme.facts().versions {
        let unknown = workshop.right("unknown")?;
        let forged = workshop.entry(&unknown, &workshop.foreign)?;
        let odd = Entry { label: "v9".to_owned(), ..forged };
        all.push(wrong("unknown-version", workshop.with(&unknown, &[odd])));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @r"
        no-signature: header `webhook-signature` is missing
        empty-signature: header `webhook-signature` is missing
        empty-entry: no signature matches
        unknown-version: no signature matches
        ");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
