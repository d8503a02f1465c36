//! Metadata, introspection and revocation.

use std::sync::Arc;

use axum::extract::{Form as FormBody, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::{Call, Reason};
use countersign_seal::Digest;
use serde_json::{Value, json};

use super::Shared;
use super::admin::is_reader;
use super::assertion::{Form, authenticate};
use super::problem::Problem;
use super::token::token_id;
use crate::clock;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/oauth/introspect", post(introspect))
        .route("/oauth/revoke", post(revoke))
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let issuer = shared.issuer();
    Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "pushed_authorization_request_endpoint": format!("{issuer}/oauth/par"),
        "registration_endpoint": format!("{issuer}/oauth/register"),
        "authorization_response_iss_parameter_supported": true,
        "require_pushed_authorization_requests": false,
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported":
            ["private_key_jwt", "client_secret_basic", "client_secret_post", "none"],
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
            // Whoever proves nothing may ask nothing (RFC 7662, section 2.1).
            Ok(it) if it.client.registration.auth != "none" => {
                Some(it.client.registration.client_id)
            }
            _ => return Problem::unauthorized("invalid-client").into_response(),
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
