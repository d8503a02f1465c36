//! Metadata.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Shared;
use super::problem::Problem;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/oauth/jwks", get(jwks))
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let issuer = shared.issuer();
    let mut metadata = json!({
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
        "scopes_supported": scopes(&shared),
        "token_endpoint_auth_methods_supported":
            ["private_key_jwt", "client_secret_basic", "client_secret_post", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ["EdDSA"],
    });
    if shared.token_key.is_some() {
        metadata["jwks_uri"] = format!("{issuer}/oauth/jwks").into();
    }
    Json(metadata)
}

/// Every scope that the API or a client knows.
fn scopes(shared: &Shared) -> BTreeSet<String> {
    let pages = shared.book.open();
    let own = pages.clients.values().flat_map(|it| it.registration.scopes.iter().cloned());
    own.chain(super::api::scopes().into_keys().map(str::to_owned)).collect()
}

/// The key with which its access tokens verify.
async fn jwks(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, Problem> {
    let key = shared.token_key.as_ref().ok_or(Problem::not_found())?;
    Ok(Json(json!({ "keys": [key.public().to_jwk()] })))
}
