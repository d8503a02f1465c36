//! A partner's receiver of events: right events, and wrong ones that must have no effect.

pub mod future;
pub mod once;
pub mod sends;
pub mod stale;
pub mod tampered;
pub mod unsigned;
pub mod unsigned_time;
pub mod wrong_key;

mod canary;
mod hear;
mod judge;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod table;

use crate::check::Check;
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Direction, EffectsKind, EventSubscription};

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &unsigned::RefusesUnsignedWebhook,
    &tampered::RefusesTamperedWebhookBody,
    &wrong_key::RefusesWrongWebhookKey,
    &stale::RefusesStaleTimestamp,
    &future::RefusesFutureTimestamp,
    &unsigned_time::RefusesUnsignedTimestamp,
    &once::AppliesReplayedWebhookOnce,
    &sends::SendsSignedWebhooks,
];

/// The subscriptions whose receiver is looked at.
fn subjects(manifest: &Manifest) -> Vec<String> {
    let out = manifest.events.iter().filter(|it| it.direction == Direction::Out);
    out.map(|it| it.id.to_string()).collect()
}

/// The subscription of this name, and where it stands.
fn event<'a>(manifest: &'a Manifest, subject: &str) -> Option<(usize, &'a EventSubscription)> {
    manifest.events.iter().enumerate().find(|(_, it)| it.id.as_str() == subject)
}

/// A canary object shows that something changed it, not what: one check at a time may change it.
fn exclusive(manifest: &Manifest) -> Option<String> {
    let effects = manifest.effects.as_ref().filter(|it| it.kind == EffectsKind::Object)?;
    Some(format!("effects:{}", effects.url))
}
