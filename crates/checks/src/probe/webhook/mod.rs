//! A partner's receiver of events: right events, and wrong ones that must have no effect.

mod ambiguous_id;
mod downgrade;
mod endpoint;
mod future;
mod legacy;
mod list;
mod once;
mod overlap;
pub mod sends;
pub mod sends_fresh;
mod stale;
mod tampered;
mod unsigned;
mod unsigned_time;
mod weak_secret;
mod wrong_key;

mod came;
mod canary;
mod hear;
mod judge;
mod key;
mod late;
mod next_key;
mod receiver;
mod view;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod table;

use countersign_model::declare::Manifest;

use crate::check::Check;
use crate::drill::subscriptions_of;

/// The checks of this family, in the order in which they are shown.
pub(crate) static CHECKS: &[&dyn Check] = &[
    &unsigned::CHECK,
    &tampered::CHECK,
    &wrong_key::CHECK,
    &list::CHECK,
    &downgrade::CHECK,
    &ambiguous_id::CHECK,
    &weak_secret::RefusesWeakWebhookSecret,
    &overlap::RetiresOldWebhookKey,
    &legacy::CHECK,
    &endpoint::CHECK,
    &stale::CHECK,
    &future::CHECK,
    &unsigned_time::CHECK,
    &once::CHECK,
    &sends::SendsSignedWebhooks,
    &sends_fresh::SendsFreshWebhooks,
];

/// What only one check may do at a time that replaces the key of a receiver. Where the subscription
/// can be switched off, a drill does that, and both would wait for deliveries.
fn rotation_order(subject: &str, manifest: &Manifest) -> Option<String> {
    let event = receiver::event(manifest, subject)?.1;
    if receiver::exclusive(manifest).is_some() || event.disable.is_some() {
        return Some(subscriptions_of(manifest));
    }
    Some(format!("webhook key of {}", event.id))
}
