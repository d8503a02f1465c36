//! What the tests share: a workshop with known keys, and a receiver that is right.

use countersign_model::declare::manifest::{EventSubscription, WebhookKey, WebhookScheme};
use countersign_model::declare::{Format, parse};
use countersign_model::time::Timestamp;
use countersign_seal::SigningKey;
use countersign_seal::scheme::{Arrived, Shared, Signer, WebhookError, Window};

use super::canary::{Message, Workshop};
use super::hear::{Needs, Sends, Wish};
use super::judge::Wanted;
use super::receiver::{Receiver, scheme_of};

const NOW: i64 = 1_795_489_511;
const WINDOW: i64 = 300;

pub(super) fn event() -> EventSubscription {
    parse(crate::fact::SAAS, Format::Toml).unwrap().manifest.events.remove(0)
}

/// A workshop for this event.
pub(super) fn workshop(event: &EventSubscription) -> Workshop<'_> {
    let of = |number: u8| match event.signing.key {
        WebhookKey::Ed25519 => Signer::Private(SigningKey::from_seed([number; 32])),
        WebhookKey::HmacSha256 => Signer::Shared(Shared::from_bytes(&[number; 32]).unwrap()),
    };
    Workshop {
        event,
        scheme: scheme_of(event).unwrap(),
        key: of(1),
        foreign: of(2),
        stem: "0".to_owned(),
        sibling: None,
        window_seconds: WINDOW,
        counts: true,
        now: Timestamp::from_seconds(NOW),
    }
}

/// What a right receiver that has seen nothing says about a message.
pub(super) fn received(message: &Message, workshop: &Workshop<'_>) -> Result<(), WebhookError> {
    let arrived = Arrived {
        method: "POST",
        url: workshop.event.endpoint.as_str(),
        headers: &message.sealed.headers,
        body: &message.sealed.body,
    };
    let window = Window { now_seconds: NOW, tolerance_seconds: WINDOW };
    workshop.scheme.verify(&arrived, &[workshop.key.verifier()], window).map(|_| ())
}

/// What a right receiver says about each message, one a line.
pub(super) fn refusals(sends: Sends) -> String {
    let event = event();
    let workshop = workshop(&event);
    let control = workshop.right("control").unwrap();
    assert_eq!(received(&control, &workshop), Ok(()));
    let lines = sends(&workshop, &control).unwrap().into_iter().map(|it| {
        let said = match received(&it.message, &workshop) {
            Ok(()) if it.message.id == control.id => "seen before".to_owned(),
            Ok(()) => "right".to_owned(),
            Err(error) => error.to_string(),
        };
        format!("{}: {said}", it.name)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Under every scheme and key a right receiver refuses what is wrong and takes what is right.
pub(super) fn holds_for_every_scheme(check: &Receiver) {
    use WebhookKey::{Ed25519, HmacSha256};
    use WebhookScheme as Word;
    let mut looked_at = 0;
    for (scheme, key) in [
        (Word::Github, HmacSha256),
        (Word::HttpMessageSignatures, Ed25519),
        (Word::HttpMessageSignatures, HmacSha256),
        (Word::Shopify, HmacSha256),
        (Word::Slack, HmacSha256),
        (Word::StandardWebhooks, Ed25519),
        (Word::StandardWebhooks, HmacSha256),
        (Word::Stripe, HmacSha256),
    ] {
        let mut event = event();
        (event.signing.scheme, event.signing.key) = (scheme, key);
        let workshop = workshop(&event);
        let facts = workshop.scheme.facts();
        let is_asked = (check.about)(&event, facts)
            && (check.plan.needs == Needs::Nothing || facts.time.is_some());
        if !is_asked {
            continue;
        }
        looked_at += 1;
        let control = workshop.right("control").unwrap();
        assert_eq!(received(&control, &workshop), Ok(()), "{scheme:?}");
        let all = (check.plan.sends)(&workshop, &control).unwrap();
        let mut names: Vec<&str> = all.iter().map(|it| it.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len(), "{scheme:?}: every message has a name of its own");
        for it in all {
            let said = received(&it.message, &workshop);
            let is_right = match it.wish {
                Wish::Answered => true,
                Wish::Taken => said.is_ok(),
                Wish::Refused => said.is_err() || check.case.wanted == Wanted::OneEffect,
            };
            assert!(is_right, "{scheme:?} {key:?}, {}: {said:?}", it.name);
        }
    }
    assert!(0 < looked_at);
}
