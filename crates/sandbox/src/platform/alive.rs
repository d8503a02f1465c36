//! Introspection and revocation: what is alive, and how that ends.
//!
//! Source: RFC 7009; RFC 7662.

use std::sync::Arc;

use axum::extract::{Form as FormBody, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::{Call, Reason};
use countersign_seal::Digest;
use serde_json::{Value, json};

use super::Shared;
use super::assertion::{Form, authenticate};
use super::book::{Client, Ghost, Pages, Token};
use super::problem::Problem;
use super::staff::is_reader;
use super::token::token_id;
use crate::{AccessFault, OauthFault, clock};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/oauth/introspect", post(introspect)).route("/oauth/revoke", post(revoke))
}

/// RFC 7662: exactly `{"active":false}` for anything dead, and for what the gate no longer stands for.
async fn introspect(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    FormBody(form): FormBody<Form>,
) -> Response {
    let token = form.get("token").map(String::as_str).unwrap_or_default();
    let digest = Digest::of(token.as_bytes());
    let found = find(&shared.book.open(), &digest);
    let is_wrong = |fault| found.as_ref().is_some_and(|it| it.1.registration.is_wrong(fault));
    let caller = if is_reader(&shared, &headers) || is_wrong(OauthFault::OpensIntrospection) {
        None
    } else {
        match authenticate(&shared, &headers, &form).await {
            // Whoever proves nothing may ask nothing (RFC 7662, section 2.1).
            Ok(it) if it.client.registration.auth != "none" => Some(it.client),
            _ => return Problem::unauthorized("invalid-client").into_response(),
        }
    };
    let known = shared.book.open().tokens.contains_key(&digest);
    if let Some(caller) = caller.as_ref().filter(|_| !known)
        && !caller.registration.is_wrong(OauthFault::NeverThrottlesGuesses)
    {
        let id = &caller.registration.client_id;
        if shared.book.open().guesses_too_much(id, clock::steady()) {
            let answer = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-guesses");
            return ([(header::RETRY_AFTER, "10")], answer).into_response();
        }
    }
    let caller = caller.map(|it| it.registration.client_id);
    let active = found.and_then(|it| active(&shared, (token, &it.0), &it.1, caller.as_deref()));
    Json(active.unwrap_or_else(|| json!({"active": false}))).into_response()
}

/// A token, dead or alive as far as it is known, and its client.
fn find(pages: &Pages, digest: &Digest) -> Option<(Token, Client)> {
    let token =
        pages.tokens.get(digest).or_else(|| pages.ghosts.get(digest).map(|it| &it.token))?;
    let client = pages.clients.get(&token.client)?;
    Some((token.clone(), client.clone()))
}

fn active(
    shared: &Shared,
    (token, found): (&str, &Token),
    client: &Client,
    caller: Option<&str>,
) -> Option<Value> {
    let registration = &client.registration;
    let foreign = caller.is_some_and(|it| it != found.client);
    let expired = found.expires_at <= clock::now();
    let revoked = !shared.book.open().tokens.contains_key(&Digest::of(token.as_bytes()));
    let wrong = [
        (foreign, OauthFault::TellsOthersAboutTokens),
        (expired, OauthFault::CallsExpiredTokensActive),
        (revoked, OauthFault::CallsRevokedTokensActive),
    ];
    let remembered = client.has(AccessFault::IntrospectsFromMemory);
    let dead =
        !remembered && wrong.into_iter().any(|(is, lapse)| is && !registration.is_wrong(lapse));
    if dead && registration.is_wrong(OauthFault::DescribesDeadTokens) {
        return Some(json!({"active": false, "client_id": found.client}));
    }
    if dead || !(client.enabled || remembered) {
        return None;
    }
    let mut call = Call::new(PathKind::TokenUse, client.known_as());
    call.scopes = found.scopes.iter().cloned().collect();
    call.ip = Some(found.ip);
    call.issued_at = Some(found.issued_at);
    found.proof.tell(&mut call);
    // There is no call yet whose path could be judged: only whether the integration stands.
    let stands = matches!(
        shared.ask(&call),
        Reason::Admitted | Reason::Malformed | Reason::OutsidePath | Reason::OutsideScope
    );
    let mut told = json!({
        "active": true,
        "iss": shared.issuer(),
        "client_id": found.client,
        "sub": found.client,
        "scope": found.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
        "iat": found.issued_at.seconds(),
        "exp": found.expires_at.seconds(),
        "jti": token_id(token),
        "token_type": "Bearer",
    });
    if let (Some(original), Some(told)) = (&client.copy_of, told.as_object_mut()) {
        told.insert("countersign_copy_of".to_owned(), json!(original));
    }
    if registration.is_wrong(OauthFault::HidesTokenEnd)
        && let Some(told) = told.as_object_mut()
    {
        told.remove("exp");
    }
    stands.then_some(told)
}

/// RFC 7009: 200 even for a token that nobody knows, and for one that is somebody else's.
async fn revoke(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    FormBody(form): FormBody<Form>,
) -> Response {
    let Ok(who) = authenticate(&shared, &headers, &form).await else {
        return Problem::unauthorized("invalid-client").into_response();
    };
    let digest = Digest::of(form.get("token").map(String::as_bytes).unwrap_or_default());
    let caller = who.client;
    let id = caller.registration.client_id.as_str();
    let anybody = caller.registration.is_wrong(OauthFault::RevokesForOthers);
    let mut pages = shared.book.open();
    let token = pages.tokens.get(&digest).filter(|it| anybody || it.client == id).cloned();
    let refresh = pages.refreshes.get(&digest).filter(|it| anybody || it.client == id).cloned();
    if token.is_none()
        && refresh.is_none()
        && caller.registration.is_wrong(OauthFault::RefusesUnknownRevocation)
    {
        let error = Json(json!({"error": "invalid_request"}));
        return (StatusCode::BAD_REQUEST, error).into_response();
    }
    if let Some(token) = token.filter(|_| !caller.keeps_revoked_tokens()) {
        end(&mut pages, digest, token);
    }
    let keeps = caller.registration.is_wrong(OauthFault::KeepsRevokedRefresh);
    if let Some(refresh) = refresh.filter(|_| !keeps) {
        if caller.registration.is_wrong(OauthFault::KeepsDerivedTokens) {
            pages.refreshes.retain(|_, it| it.family != refresh.family);
        } else {
            pages.kill_family(refresh.family);
        }
    }
    StatusCode::OK.into_response()
}

/// A token is dead; where the platform is wrong about its client, something of it stays.
fn end(pages: &mut Pages, digest: Digest, token: Token) {
    const STAY: [OauthFault; 3] = [
        OauthFault::CallsRevokedTokensActive,
        OauthFault::DescribesDeadTokens,
        OauthFault::RevivesRevokedTokens,
    ];
    pages.tokens.remove(&digest);
    let client = pages.clients.get(&token.client);
    let stays = client.is_some_and(|it| STAY.iter().any(|lapse| it.registration.is_wrong(*lapse)));
    if stays && pages.ghosts.len() < GHOSTS_MAX {
        pages.ghosts.insert(digest, Ghost { token, since: clock::steady() });
    }
}

const GHOSTS_MAX: usize = 10_000;
