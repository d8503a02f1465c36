//! A partner's receiver of security events: right events, wrong ones, and what they lead to.
//!
//! The checker plays the transmitter: the receiver has to trust the issuer and the key set of the
//! harness (`transmitter-INTEGRATION`).

pub mod accepted;
pub mod addressed;
pub mod authenticated;
pub mod key_revoked;
pub mod kind;
pub mod media_type;
pub mod once;
pub mod session_revoked;
pub mod signed;
pub mod stale_enable;

mod access;
mod event;
mod forged;
mod judge;
mod visit;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{EventSubscription, WebhookScheme};

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &accepted::AcceptsSignedSecurityEvent,
    &media_type::CHECK,
    &signed::CHECK,
    &addressed::CHECK,
    &authenticated::CHECK,
    &once::AppliesReplayedSecurityEventOnce,
    &kind::KeepsEventsAndTokensApart,
    &session_revoked::CHECK,
    &key_revoked::CHECK,
    &stale_enable::IgnoresStaleEnable,
];

/// The subscriptions to security events.
fn subjects(manifest: &Manifest) -> Vec<String> {
    let all = manifest.events.iter().filter(|it| it.signing.scheme == WebhookScheme::Set);
    all.map(|it| it.id.to_string()).collect()
}

/// Those that name every one of these kinds of event.
fn subjects_with(manifest: &Manifest, kinds: &[&str]) -> Vec<String> {
    let all = manifest.events.iter().filter(|it| it.signing.scheme == WebhookScheme::Set);
    let names = |it: &&EventSubscription| {
        kinds.iter().all(|kind| it.types.iter().any(|it| event::short(it) == *kind))
    };
    all.filter(names).map(|it| it.id.to_string()).collect()
}

/// The subscription of this name, and where it stands.
fn subscription<'a>(
    manifest: &'a Manifest,
    subject: &str,
) -> Option<(usize, &'a EventSubscription)> {
    manifest.events.iter().enumerate().find(|(_, it)| it.id.as_str() == subject)
}

/// A canary with a name of its own is shared: one check at a time may sign it in and out.
fn exclusive(subject: &str, manifest: &Manifest) -> Option<String> {
    let (_, event) = subscription(manifest, subject)?;
    let canary = event.stream.as_ref()?.canary.as_ref()?;
    canary.subject.as_ref().map(|it| format!("canary:{it}"))
}
