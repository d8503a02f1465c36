//! What calls in: signed webhooks, assertions, and jobs.
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
use countersign_checks::platform::ReceivedCall;
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::{Call, Reason};
use countersign_seal::Digest;
use countersign_seal::scheme::standard_webhooks::{
    Headers, ID, Key, SIGNATURE, TIMESTAMP, WebhookError, verify,
};
use serde::Deserialize;
use serde_json::json;

use super::Shared;
use super::admin::is_reader;
use super::api::bearer;
use super::book::Webhook;
use super::problem::Problem;
use crate::clock;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/hooks/{integration}", post(hook))
        .route("/assertions/{integration}/{identity}", post(assertion))
        .route("/callbacks/{integration}/{callback}", post(callback))
        .route("/jobs/{integration}/{job}", post(job))
}

#[derive(Debug, Default, Deserialize)]
struct Causes {
    #[serde(default)]
    causes: BTreeMap<String, u32>,
}

fn admitted(shared: &Shared, call: &Call) -> Result<(), Problem> {
    match shared.ask(call) {
        Reason::Admitted => Ok(()),
        reason => Err(Problem::denied(reason)),
    }
}

/// A webhook of the partner's: the one whose key signed it.
async fn hook(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(integration): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let hooks: Vec<(String, Webhook)> = {
        let pages = shared.book.open();
        let of = |it: &(&(String, String), &Webhook)| it.0.0 == integration;
        pages.webhooks.iter().filter(of).map(|it| (it.0.1.clone(), it.1.clone())).collect()
    };
    // Whoever holds the key of a copy is no partner: a drill, which is not written down as one.
    let copies = hooks.iter().filter(|it| it.1.copy_of.is_some());
    let is_drill = copies.map(|it| &it.1).any(|it| verified(it, &headers, &body).is_ok());
    let write = |webhook, result: &str| {
        if !is_drill {
            write_down(&shared, peer, &integration, webhook, result);
        }
    };
    let mut refusals = Vec::new();
    // The causes are not verified yet; reading them first can only deny more.
    let causes: Causes = serde_json::from_slice(&body).unwrap_or_default();
    for (id, webhook) in &hooks {
        let mut call = Call::new(PathKind::CallIn, integration.clone());
        call.subject = Some(webhook.known_as().to_owned());
        call.url = Some(webhook.registration.url.clone());
        call.causes.clone_from(&causes.causes);
        call.ip = Some(peer.ip());
        let taken = admitted(&shared, &call).and_then(|()| signed(webhook, &headers, &body));
        match taken {
            Ok(message) => {
                let digest = Digest::of(&body);
                let seen = remember(&shared, &integration, id, (message, digest))?;
                let result = if seen == "reused-id" { seen } else { "verified" };
                write(Some(webhook.known_as()), result);
                return Ok(Json(json!({"status": seen})).into_response());
            }
            Err(problem) => refusals.push((webhook.copy_of.is_some(), problem)),
        }
    }
    // A copy of a webhook has a key that the partner does not know: its refusal says nothing.
    refusals.sort_by_key(|it| it.0);
    let problem = refusals.into_iter().next().map_or(Problem::not_found(), |it| it.1);
    write(None, &problem.code);
    Err(problem)
}

fn write_down(
    shared: &Shared,
    peer: SocketAddr,
    integration: &str,
    webhook: Option<&str>,
    result: &str,
) {
    let call = ReceivedCall {
        time: clock::now(),
        integration: integration.to_owned(),
        webhook: webhook.map(str::to_owned),
        ip: peer.ip().to_string(),
        result: result.to_owned(),
    };
    shared.book.open().logs.received.push(call);
}

/// The id of the message, if one of the webhook's keys signed it.
fn signed(webhook: &Webhook, headers: &HeaderMap, body: &[u8]) -> Result<String, Problem> {
    if !webhook.has_key {
        return Err(Problem::unauthorized("no-key"));
    }
    let message = verified(webhook, headers, body)?;
    serde_json::from_slice::<serde_json::Value>(body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "not-json"))?;
    Ok(message)
}

/// The id of the message, if one of the webhook's keys signed it, taken away or not.
fn verified(webhook: &Webhook, headers: &HeaderMap, body: &[u8]) -> Result<String, Problem> {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let given = Headers { id: text(ID), timestamp: text(TIMESTAMP), signature: text(SIGNATURE) };
    let keys: Vec<Key> =
        webhook.registration.keys.iter().filter_map(|it| Key::parse(it).ok()).collect();
    let tolerance = webhook.registration.tolerance_seconds;
    verify(given, body, &keys, clock::now().seconds(), tolerance).map_err(|it| {
        Problem::unauthorized(match it {
            WebhookError::TooOld => "too-old",
            WebhookError::TooNew => "too-new",
            WebhookError::MissingHeader { .. } => "unsigned",
            _ => "bad-signature",
        })
    })?;
    Ok(given.id.unwrap_or_default().to_owned())
}

/// A message counts once. That an id comes with another body too is written down.
fn remember(
    shared: &Shared,
    integration: &str,
    id: &str,
    message: (String, Digest),
) -> Result<&'static str, Problem> {
    let mut pages = shared.book.open();
    let key = (integration.to_owned(), id.to_owned());
    let webhook = pages.webhooks.get_mut(&key).ok_or(Problem::not_found())?;
    let before = webhook.seen.iter().find(|it| it.0 == message.0);
    if let Some(before) = before {
        return Ok(if before.1 == message.1 { "duplicate" } else { "reused-id" });
    }
    if SEEN_MAX <= webhook.seen.len() {
        webhook.seen.pop_front();
    }
    webhook.seen.push_back(message);
    Ok("taken")
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
        let who = bearer(&shared, &headers)?;
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

const SEEN_MAX: usize = 10_000;
