//! Does the receiver find the one good signature in a list, and nothing else?
//!
//! While a key is replaced, a message bears one signature of each key. A receiver that reads the
//! first alone loses deliveries; one that takes a version that it does not know can be talked into a
//! weaker one; one that works for ever on a long list can be kept busy by anybody.
//!
//! Source: Standard Webhooks 1.0, "Webhook headers" (a list separated by spaces); Stripe documentation (several `v1`); RFC 9421, section 4.3 (several signatures); WHK-09.

use countersign_model::declare::manifest::EventSubscription;
use countersign_seal::scheme::{Entry, Facts, WebhookError};

use super::canary::{Message, Workshop};
use super::hear::{PLAN, Plan, Sent, heavy, right, wrong};
use super::judge::Case;
use super::receiver::Receiver;
use crate::check::Info;

/// Does the receiver find the one good signature in a list, and nothing else?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "reads_webhook_signature_lists",
        case: Some("WHK-09"),
        controls: &["CTS-WHK-01"],
        question: "Does the receiver find the one good signature in a list, and nothing else?",
        sends: "A right event; a good signature after a bad one, and after one of an unknown version; a good signature under an unknown version, where the scheme has versions; a good and a bad one with a tab between them; 1000 signatures, twice; a right event.",
        passes: "The good signature is found where a space or comma separates it. A signature of an unknown version alone has no effect. Whatever the answer to a tab and to 1000 signatures is, it is no 5xx, and it comes about as fast as an ordinary one.",
        risk: "A replaced key stops deliveries, or one request with a long header keeps the receiver busy.",
        fix: "Try every signature of a version that you know, ignore the others, and refuse a header that is longer than you expect.",
        source: r#"Standard Webhooks 1.0, "Webhook headers" (a list separated by spaces); Stripe documentation (several `v1`); RFC 9421, section 4.3 (several signatures); WHK-09."#,
    },
    about: bears_several,
    plan: Plan { sends, ..PLAN },
    case: Case {
        dropped: "a webhook whose good signature is not the first is refused",
        breaks: "a webhook with many signatures keeps the receiver busy, or breaks it",
        ..Case::no_effect(
            "a webhook whose signature is of an unknown version",
            "no webhook whose signature is of an unknown version",
        )
    },
};

/// How many signatures a long list has.
const MANY: usize = 1_000;

/// A scheme with one signature has no list.
fn bears_several(_: &EventSubscription, facts: &Facts) -> bool {
    facts.several
}

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let good = |message: &Message| workshop.entry(message, &workshop.key);
    let bad = |message: &Message| workshop.entry(message, &workshop.foreign);
    let labelled = |label: &str, entry: Entry| Entry { label: label.to_owned(), ..entry };
    let last = workshop.right("last")?;
    let mut all = vec![right("good-after-bad", workshop.with(&last, &[bad(&last)?, good(&last)?]))];
    if workshop.scheme.facts().versions {
        let mixed = workshop.right("mixed")?;
        let other = labelled("v9", bad(&mixed)?);
        let mixed = workshop.with(&mixed, &[other, good(&mixed)?]);
        all.push(right("good-after-unknown-version", mixed));
        let unknown = workshop.right("unknown")?;
        let only = labelled("v9", good(&unknown)?);
        all.push(wrong("good-under-unknown-version", workshop.with(&unknown, &[only])));
    } else {
        let forged = workshop.right("forged")?;
        let both = [bad(&forged)?, bad(&forged)?];
        all.push(wrong("two-bad-ones", workshop.with(&forged, &both)));
    }
    if let Some(header) = workshop.signature_header() {
        let tab = workshop.right("tab")?;
        let mut tab = workshop.with(&tab, &[bad(&tab)?, good(&tab)?]);
        let spaced = tab.sealed.header(header).unwrap_or_default();
        let tabbed = spaced.replace(", ", ",\t").replace(' ', "\t");
        if tabbed != spaced {
            tab.sealed.set(header, Some(&tabbed));
            all.push(heavy("tab-between", tab));
        }
    }
    for name in ["many-signatures", "many-signatures-again"] {
        let many = workshop.right(name)?;
        let entries = vec![bad(&many)?; MANY];
        all.push(heavy(name, workshop.with(&many, &entries)));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @r"
        good-after-bad: right
        good-after-unknown-version: right
        good-under-unknown-version: no signature matches
        tab-between: no signature matches
        many-signatures: header `webhook-signature` is malformed
        many-signatures-again: header `webhook-signature` is malformed
        ");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
