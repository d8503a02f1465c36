//! What a client might do to itself, and does not get: more rights, fewer records, a console.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Form as FormBody, OriginalUri, Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, post};
use axum::{Json, Router};
use countersign_seal::SigningKey;
use serde_json::{Value, json};

use super::Shared;
use super::api::{Bearer, bearer, record};
use super::assertion::{Form, authenticate};
use super::book::{Client, Pages};
use super::problem::Problem;
use crate::registration::ClientRegistration;
use crate::{AccessFault, clock, entropy};

type Answer = Result<Response, Problem>;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/apps", post(register))
        .route("/v1/apps/{client}/{what}", any(change))
        .route("/console/sign-in", post(sign_in))
}

/// A client registers another one.
async fn register(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(app): Json<Value>,
) -> Answer {
    let who = bearer(&shared, &headers, peer.ip()).await?;
    let answer = if who.client.has(AccessFault::GrantsItself) {
        let id = app.get("client_id").and_then(Value::as_str).unwrap_or("app");
        let key = entropy::random().map_err(|_| Problem::internal())?;
        let registration = ClientRegistration {
            client_id: id.chars().take(100).collect(),
            auth: "private_key_jwt".to_owned(),
            keys: vec![SigningKey::from_seed(key).public().to_jwk()],
            ..who.client.registration.clone()
        };
        shared.book.put_client(registration, clock::now());
        Ok((StatusCode::CREATED, Json(json!({ "client_id": id }))).into_response())
    } else {
        Err(refused())
    };
    record(&shared, &who, &peer, ("POST", "/v1/apps"), &answer);
    answer
}

/// A client changes its registration, or what is written down about it.
async fn change(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    Path((client, what)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let who = bearer(&shared, &headers, peer.ip()).await?;
    if who.client.registration.client_id != client {
        return Err(refused());
    }
    if method == Method::DELETE && who.client.has(AccessFault::ErasesItsLog) {
        // Nothing stays, not even this.
        shared.book.open().logs.access.retain(|it| it.client_id != client);
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let loud = who.client.has(AccessFault::GrantsItself);
    let silent = who.client.has(AccessFault::GrantsItselfBehindRefusal);
    if method != Method::DELETE && (loud || silent) {
        grow(&mut shared.book.open(), &who, &what)?;
    }
    let answer = if loud && method != Method::DELETE {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(refused())
    };
    record(&shared, &who, &peer, (method.as_str(), uri.path()), &answer);
    answer
}

fn refused() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "not-yours-to-change")
}

fn grow(pages: &mut Pages, who: &Bearer, what: &str) -> Result<(), Problem> {
    let id = &who.client.registration.client_id;
    let found: &mut Client = pages.clients.get_mut(id).ok_or(Problem::not_found())?;
    let registration = &mut found.registration;
    match what {
        "credentials" => {
            let key = entropy::random().map_err(|_| Problem::internal())?;
            registration.keys.push(SigningKey::from_seed(key).public().to_jwk());
        }
        "roles" => drop(registration.scopes.insert("tenant-admin".to_owned())),
        "consents" => drop(registration.scopes.insert("users:read.all".to_owned())),
        "redirects" => {
            let url = "https://elsewhere.invalid/callback".to_owned();
            registration.redirects.insert("self".to_owned(), url);
        }
        _ => return Err(Problem::not_found()),
    }
    Ok(())
}

/// Where people sign in. A machine is nobody here, even with a credential that proves it.
async fn sign_in(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    FormBody(form): FormBody<Form>,
) -> Answer {
    let who = authenticate(&shared, &headers, &form).await;
    let who = who.map_err(|_| Problem::unauthorized("unknown-person"))?;
    if who.client.has(AccessFault::AllowsSignIn) {
        return Ok(Json(json!({ "session": "open" })).into_response());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "no-person"))
}
