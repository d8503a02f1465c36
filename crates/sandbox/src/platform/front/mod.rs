//! The front channel of the authorization server: requests through a browser, codes, and the
//! registration of clients by themselves.

mod authorize;
mod code;
mod copy;
mod login;
mod pages;
mod push;
mod read;
mod register;

use std::sync::Arc;

use axum::Router;

use super::Shared;

pub(super) use code::redeem;
pub(super) use copy::copy;
pub(super) use pages::FrontPages;
pub(super) use register::invite;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .merge(authorize::routes())
        .merge(login::routes())
        .merge(push::routes())
        .merge(register::routes())
}
