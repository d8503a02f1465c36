//! A partner's receiver of events: right events, and wrong ones that must have no effect.

mod ambiguous_id;
mod downgrade;
mod endpoint;
mod future;
mod legacy;
mod list;
mod once;
pub mod sends;
mod stale;
mod tampered;
mod unsigned;
mod unsigned_time;
mod wrong_key;

mod canary;
mod hear;
mod judge;
mod key;
mod receiver;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod table;

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) static CHECKS: &[&dyn Check] = &[
    &unsigned::CHECK,
    &tampered::CHECK,
    &wrong_key::CHECK,
    &list::CHECK,
    &downgrade::CHECK,
    &ambiguous_id::CHECK,
    &legacy::CHECK,
    &endpoint::CHECK,
    &stale::CHECK,
    &future::CHECK,
    &unsigned_time::CHECK,
    &once::CHECK,
    &sends::SendsSignedWebhooks,
];
