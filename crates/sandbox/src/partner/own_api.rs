//! A partner's own API: its keys, their rotation, the end of a tenant, its audit.

use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::keys::OldKey;
use super::receiver::moment;
use super::{Fault, Inner, is_ours};
use crate::clock;

/// The published keys.
pub(super) async fn jwks(State(inner): State<Arc<Inner>>) -> Response {
    let cache = [(header::CACHE_CONTROL, "max-age=1")];
    (cache, Json(inner.keys.published(clock::now()))).into_response()
}

/// A file that proves control of the host: as it was placed, or as the certifier wants it.
pub(super) async fn proof(State(inner): State<Arc<Inner>>, Path(file): Path<String>) -> Response {
    let placed = inner.proofs.lock().unwrap_or_else(PoisonError::into_inner).get(&file).cloned();
    if let Some(text) = placed {
        return text.into_response();
    }
    let certifier = inner.certifier.read().unwrap_or_else(PoisonError::into_inner).clone();
    let text = match certifier {
        Some(it) if file == inner.kind.slug() => it.proof(&file).await,
        _ => None,
    };
    text.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

fn unknown_caller() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({"code": "unknown-caller"}))).into_response()
}

/// Starts a rotation.
pub(super) async fn rotate(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    if !is_ours(&inner, &headers) {
        return unknown_caller();
    }
    let waits = inner.faults.has(Fault::RotationNeedsAPerson);
    let stays = inner.faults.has(Fault::OldKeyStaysAlive);
    let status = if waits { "waiting for operator" } else { "rotating" };
    if waits && !stays {
        return (StatusCode::ACCEPTED, Json(json!({"status": status}))).into_response();
    }
    // With both faults the new key is published and the operator would have to drop the old one.
    let renames = inner.faults.has(Fault::RenamesOldKey);
    let old = match (stays, renames) {
        (true, _) => OldKey::Stays,
        (false, true) => OldKey::Renamed,
        (false, false) => OldKey::Ends,
    };
    match inner.keys.rotate(clock::now(), inner.overlap, old) {
        Ok(it) => {
            let body = json!({"status": status, "kid": it.kid, "previous": it.previous});
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Deletes what is held for a tenant.
pub(super) async fn offboard(
    State(inner): State<Arc<Inner>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_ours(&inner, &headers) {
        return unknown_caller();
    }
    if inner.faults.has(Fault::OffboardingDoesNothing) {
        return StatusCode::ACCEPTED.into_response();
    }
    let mut ended = inner.ended_tenants.lock().unwrap_or_else(PoisonError::into_inner);
    if TENANTS_MAX <= ended.len() {
        ended.pop_first();
    }
    ended.insert(tenant);
    StatusCode::ACCEPTED.into_response()
}

/// Whether anything is held for a tenant. One that was never ended is served.
pub(super) async fn tenant(
    State(inner): State<Arc<Inner>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_ours(&inner, &headers) {
        return unknown_caller();
    }
    let ended = inner.ended_tenants.lock().unwrap_or_else(PoisonError::into_inner);
    if ended.contains(&tenant) {
        return StatusCode::NOT_FOUND.into_response();
    }
    Json(json!({"tenant": tenant, "status": "active"})).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct Narrow {
    since: Option<String>,
    tenant: Option<String>,
}

/// Its own log of what it did, as JSON lines: with the test tenant, unless another is named.
pub(super) async fn audit(
    State(inner): State<Arc<Inner>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Response {
    if !is_ours(&inner, &headers) {
        return unknown_caller();
    }
    let since = match narrow.since.as_deref().map(moment) {
        None => Timestamp::from_millis(i64::MIN),
        Some(Some(since)) => since,
        Some(None) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let lane = match narrow.tenant.as_deref() {
        None | Some("test") => Lane::Trial,
        Some("production") => Lane::Certified,
        Some(_) => return StatusCode::NOT_FOUND.into_response(),
    };
    let body = inner.journal.lines(lane, since);
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

const TENANTS_MAX: usize = 10_000;
