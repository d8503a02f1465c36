//! Webhooks: addresses that partners call with a signature, each by the scheme that it was registered with.

mod admin;
mod intake;
mod known;

use std::sync::Arc;

use axum::Router;

use super::Shared;
pub(crate) use known::Webhook;

pub(super) fn routes() -> Router<Arc<Shared>> {
    intake::routes().merge(admin::routes())
}
