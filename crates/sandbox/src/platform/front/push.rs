//! Pushed authorization requests (RFC 9126).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use countersign_seal::Digest;
use serde_json::json;

use super::super::Shared;
use super::super::assertion::authenticate;
use super::super::book::Client;
use super::code::NO_STORE;
use super::pages::Pushed;
use super::read::{after, once, read};
use crate::partner::FrontFault;
use crate::{clock, entropy};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/oauth/par", post(push))
}

async fn push(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    match pushed(&shared, &headers, &body).await {
        Ok(response) => response,
        Err((status, code)) => (status, NO_STORE, Json(json!({ "error": code }))).into_response(),
    }
}

async fn pushed(
    shared: &Shared,
    headers: &HeaderMap,
    body: &str,
) -> Result<Response, (StatusCode, &'static str)> {
    let bad = |code| (StatusCode::BAD_REQUEST, code);
    let mut form = once(body).map_err(|it| bad(it.code()))?;
    let client = match authenticate(shared, headers, &form).await {
        Ok(it) => it.client,
        Err(it) => {
            let claimed = shared.book.open().clients.get(&it.claimed).cloned();
            let wrong = |it: &Client| it.errs(FrontFault::PushesUnauthenticated);
            claimed.filter(wrong).ok_or((StatusCode::UNAUTHORIZED, "invalid_client"))?
        }
    };
    let id = client.registration.client_id.clone();
    // A request in a request, or one in somebody else's name (RFC 9126, section 2.1).
    if form.contains_key("request_uri") || form.get("client_id").is_some_and(|it| *it != id) {
        return Err(bad("invalid_request"));
    }
    form.retain(|name, _| !name.starts_with("client_assertion") && name != "client_secret");
    form.insert("client_id".to_owned(), id.clone());
    read(&client, &form).map_err(|it| bad(it.code()))?;
    let failed = |_| (StatusCode::INTERNAL_SERVER_ERROR, "server_error");
    let reference =
        format!("urn:ietf:params:oauth:request_uri:{}", entropy::token().map_err(failed)?);
    let life_seconds = client.registration.front.request_life_seconds;
    let expires_at = after(clock::now(), life_seconds.saturating_mul(1_000));
    let mut pages = shared.book.open();
    pages.make_room(clock::now());
    let kept = Pushed { client: id, form, expires_at };
    pages.front.pushed.insert(Digest::of(reference.as_bytes()), kept);
    drop(pages);
    let body = json!({ "request_uri": reference, "expires_in": life_seconds });
    Ok((StatusCode::CREATED, NO_STORE, Json(body)).into_response())
}
