//! The authorization endpoint (RFC 6749, section 3.1; RFC 9126, section 4).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::{Call, Reason};
use countersign_seal::Digest;

use super::super::Shared;
use super::super::assertion::Form;
use super::super::book::Client;
use super::super::problem::Problem;
use super::code::{answer, refuse};
use super::login;
use super::read::{Refused, once, read};
use crate::clock;
use crate::partner::FrontFault;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/oauth/authorize", get(authorize))
}

async fn authorize(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    RawQuery(query): RawQuery,
) -> Response {
    match asked(&shared, peer, &query.unwrap_or_default()) {
        Ok(response) => response,
        Err(refused) => refuse(&shared, refused),
    }
}

fn asked(shared: &Shared, peer: SocketAddr, query: &str) -> Result<Response, Refused> {
    let form = once(query)?;
    let id = form.get("client_id").map(String::as_str).unwrap_or_default();
    let client = shared.book.open().clients.get(id).cloned();
    let client = client.filter(|it| it.enabled).ok_or(Refused::page("unknown-client"))?;
    let form = if let Some(reference) = form.get("request_uri") {
        pushed(shared, &client, reference)?
    } else {
        let must_push = client.registration.front.must_push;
        if must_push && !client.errs(FrontFault::IgnoresRequiredPush) {
            return Err(Refused::page("push-required"));
        }
        form
    };
    let asked = read(&client, &form)?;
    let mut call = Call::new(PathKind::CallIn, client.known_as());
    call.subject = Some(asked.redirect.subject.clone());
    call.url = Some(asked.redirect.url.clone());
    call.ip = Some(peer.ip());
    let reason = shared.ask(&call);
    if reason != Reason::Admitted {
        return Err(Refused::Page(Problem::denied(reason)));
    }
    if client.registration.front.login.is_some() {
        if form.get("prompt").is_some_and(|it| it == "none") {
            return Err(Refused::Told(asked.redirect, "login_required"));
        }
        return login::ask(shared, asked).map_err(Refused::Page);
    }
    Ok(answer(shared, &asked, StatusCode::FOUND))
}

/// A request that this client pushed; it counts once (RFC 9126, section 4).
fn pushed(shared: &Shared, client: &Client, reference: &str) -> Result<Form, Refused> {
    let no = || Refused::page("unknown-request-uri");
    let digest = Digest::of(reference.as_bytes());
    let mut pages = shared.book.open();
    let found = pages.front.pushed.get(&digest).cloned().ok_or_else(no)?;
    let is_mine = found.client == client.registration.client_id;
    if !is_mine && !client.errs(FrontFault::SharesPushedRequest) {
        return Err(no());
    }
    if !client.errs(FrontFault::ReusesPushedRequest) {
        pages.front.pushed.remove(&digest);
    }
    if found.expires_at <= clock::now() && !client.errs(FrontFault::TakesStalePushedRequest) {
        return Err(no());
    }
    Ok(found.form)
}
