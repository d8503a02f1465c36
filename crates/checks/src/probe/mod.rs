//! Right and wrong requests, sent to the partner or as the partner.

pub mod effects;
pub mod replayed_token;
pub mod revoked_token;
pub(crate) mod token;
pub mod undeclared_scope;
pub mod webhook;
