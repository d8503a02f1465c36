//! Metadata, introspection, revocation and the authorization endpoint.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Form as FormBody, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::{Call, Reason};
use countersign_model::time::Period;
use countersign_seal::Digest;
use serde_json::{Value, json};

use super::Shared;
use super::admin::is_reader;
use super::assertion::{Form, authenticate};
use super::book::Code;
use super::problem::Problem;
use super::token::token_id;
use crate::{clock, entropy};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/oauth/introspect", post(introspect))
        .route("/oauth/revoke", post(revoke))
        .route("/oauth/authorize", get(authorize))
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let issuer = shared.issuer();
    Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported":
            ["private_key_jwt", "client_secret_basic", "client_secret_post"],
        "token_endpoint_auth_signing_alg_values_supported": ["EdDSA"],
    }))
}

/// RFC 7662: exactly `{"active":false}` for anything dead, and for what the gate no longer stands for.
async fn introspect(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    FormBody(form): FormBody<Form>,
) -> Response {
    let caller = if is_reader(&shared, &headers) {
        None
    } else {
        match authenticate(&shared, &headers, &form).await {
            Ok(it) => Some(it.client.registration.client_id),
            Err(_) => return Problem::unauthorized("invalid-client").into_response(),
        }
    };
    let token = form.get("token").map(String::as_str).unwrap_or_default();
    let active = active(&shared, token, caller.as_deref());
    Json(active.unwrap_or_else(|| json!({"active": false}))).into_response()
}

fn active(shared: &Shared, token: &str, caller: Option<&str>) -> Option<Value> {
    let now = clock::now();
    let (found, client) = {
        let pages = shared.book.open();
        let found = pages.tokens.get(&Digest::of(token.as_bytes()))?.clone();
        let client = pages.clients.get(&found.client)?.clone();
        (found, client)
    };
    if found.expires_at <= now || !client.enabled || caller.is_some_and(|it| it != found.client) {
        return None;
    }
    let mut call = Call::new(PathKind::TokenUse, client.known_as());
    call.scopes = found.scopes.iter().cloned().collect();
    call.ip = Some(found.ip);
    call.issued_at = Some(found.issued_at);
    // There is no call yet whose path could be judged: only whether the integration stands.
    let stands = matches!(
        shared.ask(&call),
        Reason::Admitted | Reason::Malformed | Reason::OutsidePath | Reason::OutsideScope
    );
    stands.then(|| {
        json!({
            "active": true,
            "client_id": found.client,
            "scope": found.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
            "iat": found.issued_at.seconds(),
            "exp": found.expires_at.seconds(),
            "jti": token_id(token),
            "token_type": "Bearer",
        })
    })
}

/// RFC 7009: 200 even for a token that nobody knows.
async fn revoke(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    FormBody(form): FormBody<Form>,
) -> Response {
    let Ok(who) = authenticate(&shared, &headers, &form).await else {
        return Problem::unauthorized("invalid-client").into_response();
    };
    let digest = Digest::of(form.get("token").map(String::as_bytes).unwrap_or_default());
    let client = who.client.registration.client_id;
    let mut pages = shared.book.open();
    if pages.tokens.get(&digest).is_some_and(|it| it.client == client) {
        pages.tokens.remove(&digest);
    }
    let family = pages.refreshes.get(&digest).filter(|it| it.client == client).map(|it| it.family);
    if let Some(family) = family {
        pages.kill_family(family);
    }
    StatusCode::OK.into_response()
}

/// Sends a code to a registered address. The sandbox's person always agrees.
async fn authorize(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(query): Query<Form>,
) -> Result<Response, Problem> {
    let text = |name: &str| query.get(name).cloned().unwrap_or_default();
    let (id, redirect) = (text("client_id"), text("redirect_uri"));
    let client = shared.book.open().clients.get(&id).cloned();
    let client = client.filter(|it| it.enabled).ok_or(Problem::invalid("unknown-client"))?;
    let registration = &client.registration;
    // Nothing is ever sent to an address that is not registered, an error neither.
    let known = registration.redirects.iter().find(|it| *it.1 == redirect);
    let (subject, _) = known.ok_or(Problem::invalid("unknown-redirect"))?;
    if text("response_type") != "code" {
        return Err(Problem::invalid("unsupported-response-type"));
    }
    let mut call = Call::new(PathKind::CallIn, client.known_as());
    call.subject = Some(subject.clone());
    call.url = Some(redirect.clone());
    call.ip = Some(peer.ip());
    let reason = shared.ask(&call);
    if reason != Reason::Admitted {
        return Err(Problem::denied(reason));
    }
    let asked: BTreeSet<String> = text("scope").split_whitespace().map(str::to_owned).collect();
    let scopes = if asked.is_empty() { registration.scopes.clone() } else { asked };
    if !scopes.is_subset(&registration.scopes) {
        return Err(Problem::invalid("invalid-scope"));
    }
    let challenge = query.get("code_challenge").cloned();
    if challenge.is_some() && text("code_challenge_method") != "S256" {
        return Err(Problem::invalid("unsupported-code-challenge-method"));
    }
    let code = entropy::token().map_err(|_| Problem::internal())?;
    let expires_at = clock::now() + Period::from_seconds(60);
    let kept = Code { client: id, redirect: redirect.clone(), scopes, expires_at, challenge };
    let mut pages = shared.book.open();
    pages.make_room(clock::now());
    pages.codes.insert(Digest::of(code.as_bytes()), kept);
    drop(pages);
    let mut to = url::Url::parse(&redirect).map_err(|_| Problem::internal())?;
    to.query_pairs_mut().append_pair("code", &code).append_pair("iss", shared.issuer());
    if let Some(state) = query.get("state") {
        to.query_pairs_mut().append_pair("state", state);
    }
    Ok((StatusCode::FOUND, [(header::LOCATION, to.to_string())]).into_response())
}
