//! What the tests share: a workshop with known keys, and a receiver that is right.

use countersign_model::declare::manifest::EventSubscription;
use countersign_model::declare::{Format, parse};
use countersign_model::time::Timestamp;
use countersign_seal::SigningKey;
use countersign_seal::scheme::standard_webhooks::{Headers, Key, SendKey, WebhookError, verify};

use super::canary::{Message, Workshop};
use super::hear::Wrong;

const NOW: i64 = 1_795_489_511;
const WINDOW: i64 = 300;

pub(super) fn event() -> EventSubscription {
    parse(crate::fact::SAAS, Format::Toml).unwrap().manifest.events.remove(0)
}

/// A workshop, and the key that the receiver knows.
pub(super) fn workshop(event: &EventSubscription) -> (Workshop<'_>, Key) {
    let key = SigningKey::from_seed([1; 32]);
    let public = Key::Public(key.public());
    let workshop = Workshop {
        event,
        key: SendKey::Private(key),
        foreign: SendKey::Private(SigningKey::from_seed([2; 32])),
        stem: "0".to_owned(),
        window_seconds: WINDOW,
        now: Timestamp::from_seconds(NOW),
    };
    (workshop, public)
}

/// What a right receiver that has seen nothing says about a message.
pub(super) fn received(message: &Message, key: &Key) -> Result<(), WebhookError> {
    let headers = Headers {
        id: Some(&message.id),
        timestamp: message.timestamp.as_deref(),
        signature: message.signature.as_deref(),
    };
    verify(headers, &message.body, std::slice::from_ref(key), NOW, WINDOW)
}

/// What a right receiver says about each wrong message, one a line.
pub(super) fn refusals(wrong: Wrong) -> String {
    let event = event();
    let (workshop, key) = workshop(&event);
    let control = workshop.right("control").unwrap();
    assert_eq!(received(&control, &key), Ok(()));
    let lines = wrong(&workshop, &control).unwrap().into_iter().map(|(name, message)| {
        let said = match received(&message, &key) {
            Ok(()) if message.id == control.id => "seen before".to_owned(),
            Ok(()) => "right".to_owned(),
            Err(error) => error.to_string(),
        };
        format!("{name}: {said}")
    });
    lines.collect::<Vec<_>>().join("\n")
}
