//! What is cut, and whether it is: that tokens end, that nobody else ends them, and that the server tells the
//! truth about them.

pub mod another_client;
pub mod cascade;
pub(crate) mod disabled_client;
pub(crate) mod expiry;
pub mod ghost;
pub mod idempotent;
pub mod open;
pub mod truth;

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &cascade::CHECK,
    &another_client::CHECK,
    &idempotent::CHECK,
    &truth::CHECK,
    &open::CHECK,
    &disabled_client::REFUSES_DISABLED_CLIENT,
    &expiry::ENDS_TOKENS_WHEN_DECLARED,
    &ghost::STAYS_GONE_AFTER_OFFBOARDING,
];
