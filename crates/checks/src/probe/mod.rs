//! Right and wrong requests, sent to the partner or as the partner.

pub mod access;
pub(crate) mod acting;
pub mod agent;
pub(crate) mod authz;
pub mod client;
pub mod effects;
pub mod front;
pub(crate) mod jwt;
pub mod oauth;
pub(crate) mod refusal;
pub mod replayed_token;
pub mod revocation;
pub mod revoked_token;
pub mod sender;
pub mod set;
pub mod tls;
pub(crate) mod token;
pub mod undeclared_scope;
pub mod webhook;

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &undeclared_scope::RefusesUndeclaredScope,
    &revoked_token::RefusesRevokedToken,
    &replayed_token::RaisesAlertOnReplayedToken,
];
