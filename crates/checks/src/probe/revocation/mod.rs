//! What is cut, and whether it is.

pub(crate) mod disabled_client;
pub(crate) mod expiry;
pub(crate) mod ghost;

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &disabled_client::REFUSES_DISABLED_CLIENT,
    &expiry::ENDS_TOKENS_WHEN_DECLARED,
    &ghost::STAYS_GONE_AFTER_OFFBOARDING,
];
