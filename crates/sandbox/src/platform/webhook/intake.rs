//! Webhooks come in: each is verified by the scheme of the webhook that it was sent to.
//!
//! The gate comes first: it costs least, and a shut gate says why before any signature is looked at.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use countersign_checks::platform::{ReceivedCall, Unproven};
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::Call;
use countersign_seal::scheme::{Arrived, Verified, WebhookError};
use serde::Deserialize;
use serde_json::json;

use super::known::{Came, Webhook};
use crate::clock;
use crate::platform::Shared;
use crate::platform::calls::{Causes, admitted};
use crate::platform::problem::Problem;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/hooks/{integration}", post(hook))
        .route("/hooks/{integration}/{name}", post(hook))
}

/// Whose webhook it is.
#[derive(Debug, Deserialize)]
struct Owner {
    integration: String,
}

/// What came of a call, as it is written down.
struct Told<'a> {
    webhook: Option<&'a Webhook>,
    result: &'a str,
    unproven: BTreeSet<Unproven>,
}

/// A webhook of the partner's: of those at this address, the one whose key signed it.
async fn hook(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(owner): Path<Owner>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let (hooks, retired) = at(&shared, &owner.integration, uri.path());
    let target = uri.path_and_query().map_or(uri.path(), |it| it.as_str());
    let url = format!("{}{target}", shared.issuer());
    let headers = texts(&headers);
    let arrived = Arrived { method: "POST", url: &url, headers: &headers, body: &body };
    let now = clock::now().seconds();
    // Whoever holds the key of a copy, a deleted one too, is no partner: a drill, which is not written
    // down as one.
    let copies = hooks.iter().filter(|it| it.copy_of.is_some());
    let is_drill = copies.chain(&retired).any(|it| it.verify(&arrived, now).is_ok());
    let write = |told: Told<'_>| {
        if !is_drill {
            write_down(&shared, peer, &owner.integration, told);
        }
    };
    let mut refusals = Vec::new();
    for webhook in &hooks {
        let call = call(webhook, &owner.integration, peer, &body);
        let taken = admitted(&shared, &call).and_then(|()| signed(webhook, &arrived, now));
        match taken {
            Ok(verified) => {
                let unproven = webhook.unproven(&verified);
                let came = remember(&shared, &owner.integration, webhook, verified, &body)?;
                let (status, result) = match came {
                    Came::Again => ("duplicate", "verified"),
                    Came::New => ("taken", "verified"),
                    Came::WithUsedId => ("reused-id", "reused-id"),
                };
                write(Told { webhook: Some(webhook), result, unproven });
                return Ok(Json(json!({ "status": status })).into_response());
            }
            Err(problem) => refusals.push((webhook.copy_of.is_some(), problem)),
        }
    }
    // A copy of a webhook has a key that the partner does not know: its refusal says nothing.
    refusals.sort_by_key(|it| it.0);
    let problem = refusals.into_iter().next().map_or(Problem::not_found(), |it| it.1);
    // Where several are called at one address, only a key tells which one is meant.
    let mut own = hooks.iter().filter(|it| it.copy_of.is_none());
    let only = own.next().filter(|_| own.next().is_none());
    write(Told { webhook: only, result: &problem.code, unproven: BTreeSet::new() });
    Err(problem)
}

/// The webhooks of an integration that are called at this path, and copies that were.
fn at(shared: &Shared, integration: &str, path: &str) -> (Vec<Webhook>, Vec<Webhook>) {
    let pages = shared.book.open();
    let mine = pages.webhooks.iter().filter(|it| it.0.0 == integration).map(|it| it.1);
    let is_here = |it: &&Webhook| it.path() == path;
    let retired = pages.retired(integration).filter(is_here).cloned().collect();
    (mine.filter(is_here).cloned().collect(), retired)
}

/// Header names in lowercase and values; what is no text is left out.
fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let texts = headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    texts.collect()
}

/// What the gate is asked.
fn call(webhook: &Webhook, integration: &str, peer: SocketAddr, body: &[u8]) -> Call {
    let mut call = Call::new(PathKind::CallIn, integration.to_owned());
    call.subject = Some(webhook.known_as().to_owned());
    call.url = Some(webhook.registration.url.clone());
    // The causes are not verified yet; reading them first can only deny more.
    let said = webhook.scheme.payload(body).and_then(|it| Causes::deserialize(it).ok());
    call.causes = said.unwrap_or_default().causes;
    call.ip = Some(peer.ip());
    call
}

fn write_down(shared: &Shared, peer: SocketAddr, integration: &str, told: Told<'_>) {
    let call = ReceivedCall {
        time: clock::now(),
        integration: integration.to_owned(),
        webhook: told.webhook.map(|it| it.known_as().to_owned()),
        scheme: told.webhook.map(|it| it.scheme.name().to_owned()),
        ip: peer.ip().to_string(),
        result: told.result.to_owned(),
        unproven: told.unproven,
    };
    shared.book.open().logs.received.push(call);
}

/// What a message says of itself, if one of the webhook's keys signed it.
fn signed(webhook: &Webhook, arrived: &Arrived<'_>, now: i64) -> Result<Verified, Problem> {
    if !webhook.has_key {
        return Err(Problem::unauthorized("no-key"));
    }
    let verified = webhook.verify(arrived, now).map_err(|it| {
        Problem::unauthorized(match it {
            WebhookError::TooOld => "too-old",
            WebhookError::TooNew => "too-new",
            WebhookError::MissingHeader { .. } | WebhookError::Unsigned => "unsigned",
            _ => "bad-signature",
        })
    })?;
    let not_json = Problem::new(StatusCode::BAD_REQUEST, "not-json");
    webhook.scheme.payload(arrived.body).map(|_| verified).ok_or(not_json)
}

/// A message counts once. That an id comes with another body too is written down.
fn remember(
    shared: &Shared,
    integration: &str,
    webhook: &Webhook,
    verified: Verified,
    body: &[u8],
) -> Result<Came, Problem> {
    let message = webhook.message(verified, body);
    let mut pages = shared.book.open();
    let key = (integration.to_owned(), webhook.registration.id.clone());
    let known = pages.webhooks.get_mut(&key).ok_or(Problem::not_found())?;
    Ok(known.remember(message))
}
