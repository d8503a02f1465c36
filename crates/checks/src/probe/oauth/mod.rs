//! Authorization servers: right requests for tokens, and wrong ones that must be refused.

pub mod another_client;
pub mod assertion;
pub mod cache;
pub mod claims;
pub mod password;
pub mod replayed_refresh;
pub mod secret;

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &password::CHECK,
    &replayed_refresh::CHECK,
    &another_client::CHECK,
    &secret::CHECK,
    &assertion::CHECK,
    &claims::CHECK,
    &cache::CHECK,
];
