//! What calls in beside webhooks: assertions, knocks, and jobs.
//!
//! The gate comes first: it costs least, and a shut gate says why before any credential is looked at.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::{Call, Reason};
use serde::Deserialize;
use serde_json::json;

use super::Shared;
use super::api::bearer;
use super::problem::Problem;
use super::staff::is_reader;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/assertions/{integration}/{identity}", post(assertion))
        .route("/callbacks/{integration}/{callback}", post(callback))
        .route("/jobs/{integration}/{job}", post(job))
}

/// The access outcomes that a call would cause.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Causes {
    #[serde(default)]
    pub(super) causes: BTreeMap<String, u32>,
}

/// Asks the gate.
pub(super) fn admitted(shared: &Shared, call: &Call) -> Result<(), Problem> {
    match shared.ask(call) {
        Reason::Admitted => Ok(()),
        reason => Err(Problem::denied(reason)),
    }
}

/// An assertion or certificate of the partner's. The sandbox accepts none; it only asks the gate.
async fn assertion(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path((integration, identity)): Path<(String, String)>,
) -> Problem {
    knock(&shared, peer, PathKind::AssertionIn, integration, identity)
}

/// A redirect or a webhook of the partner's, knocked at without a request to authorize or a signature.
async fn callback(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path((integration, callback)): Path<(String, String)>,
) -> Problem {
    let behind = behind(&shared, &integration, &callback);
    match knock(&shared, peer, PathKind::CallIn, integration, callback) {
        it if it.status == StatusCode::UNAUTHORIZED => behind.err().unwrap_or(it),
        shut => shut,
    }
}

/// What an open gate leads to: a webhook with a key, or an address that a client's codes go to.
fn behind(shared: &Shared, integration: &str, id: &str) -> Result<(), Problem> {
    let pages = shared.book.open();
    if let Some(webhook) = pages.webhooks.get(&(integration.to_owned(), id.to_owned())) {
        return if webhook.has_key { Ok(()) } else { Err(Problem::unauthorized("no-key")) };
    }
    let mut mine = pages.clients.values().map(|it| &it.registration);
    let is_known = mine.any(|it| it.integration == integration && it.redirects.contains_key(id));
    if is_known { Ok(()) } else { Err(Problem::invalid("unknown-redirect")) }
}

fn knock(
    shared: &Shared,
    peer: SocketAddr,
    kind: PathKind,
    integration: String,
    subject: String,
) -> Problem {
    let mut call = Call::new(kind, integration);
    call.subject = Some(subject);
    call.ip = Some(peer.ip());
    match admitted(shared, &call) {
        Ok(()) => Problem::unauthorized("no-credential"),
        Err(problem) => problem,
    }
}

/// Runs a job, for the integration itself or for the platform's own scheduler.
async fn job(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path((integration, job)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    if !is_reader(&shared, &headers) {
        let who = bearer(&shared, &headers, peer.ip()).await?;
        if who.client.registration.integration != integration {
            return Err(Problem::new(StatusCode::FORBIDDEN, "another-integration"));
        }
    }
    let causes: Causes = serde_json::from_slice(&body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "not-json"))?;
    let mut call = Call::new(PathKind::Automation, integration);
    call.subject = Some(job);
    call.causes = causes.causes;
    call.ip = Some(peer.ip());
    admitted(&shared, &call)?;
    Ok(Json(json!({"ran": true})).into_response())
}
