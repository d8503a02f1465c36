//! Gates: heartbeats, snapshots, acknowledgements.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use countersign_model::enforce::snapshot::Lane;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::{Body, Known};
use crate::app::{App, Metrics};
use crate::auth::{Action, Caller};
use crate::problem::Problem;
use crate::steps::show;

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(heartbeat))
        .routes(routes!(snapshot))
        .routes(routes!(ack))
        .routes(routes!(list))
        .routes(routes!(config))
}

/// Which lane.
#[derive(Debug, Deserialize)]
struct Of {
    lane: Lane,
}

/// Which lane, and a nonce.
#[derive(Debug, Deserialize)]
struct Beat {
    lane: Lane,
    nonce: String,
}

/// Which epoch a gate answers from.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Ack {
    /// Its name.
    gate: String,
    /// Its lane.
    #[schema(value_type = String)]
    lane: Lane,
    /// The epoch.
    epoch: u64,
}

/// A gate sees its own lane only.
fn lane(who: &Caller, asked: Lane) -> Result<(), Problem> {
    match who {
        Caller::Gate { lane, .. } if *lane == asked => Ok(()),
        _ => Err(Problem::new(403, "not-allowed", "only a gate of that lane may ask")),
    }
}

/// A signed sign of life for a nonce.
#[utoipa::path(get, path = "/v1/gate/heartbeat", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn heartbeat(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Query(query): Query<Beat>,
) -> Result<Response, Problem> {
    lane(&who, query.lane)?;
    Metrics::count(&app.metrics.heartbeats);
    let token = show::heartbeat(&app, query.lane, &query.nonce)?;
    Ok(([(CONTENT_TYPE, "application/jwt")], token).into_response())
}

/// What a gate answers from, signed.
#[utoipa::path(get, path = "/v1/gate/snapshot", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn snapshot(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Query(query): Query<Of>,
) -> Result<Response, Problem> {
    lane(&who, query.lane)?;
    let bytes = app.book.published().lane(query.lane).envelope.clone();
    Ok(([(CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// A gate says which epoch it answers from.
#[utoipa::path(post, path = "/v1/gate/acks", request_body = Ack, responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn ack(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Body(sent): Body<Ack>,
) -> Result<Json<Value>, Problem> {
    lane(&who, sent.lane)?;
    let Caller::Gate { name, .. } = &who else {
        return Err(Problem::new(403, "not-allowed", "only a gate can say that"));
    };
    if *name != sent.gate || app.book.published().epoch < sent.epoch {
        return Err(Problem::new(403, "not-allowed", "that is another gate, or no epoch of ours"));
    }
    app.acks.send_modify(|acks| {
        let epoch = acks.entry(sent.gate.clone()).or_default();
        *epoch = sent.epoch.max(*epoch);
    });
    Ok(Json(json!({ "epoch": sent.epoch })))
}

/// How far each gate has come.
#[utoipa::path(get, path = "/v1/gates", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn list(State(app): State<Arc<App>>, Known(who): Known) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    Ok(Json(show::gates(&app)))
}

/// What a gate is told once: keys and approvers to pin.
#[utoipa::path(get, path = "/v1/gate/config", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn config(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Query(query): Query<Of>,
) -> Result<Json<Value>, Problem> {
    if matches!(who, Caller::Person { .. }) {
        who.may(Action::Read)?;
    } else {
        lane(&who, query.lane)?;
    }
    Ok(Json(show::gate_config(&app, query.lane)))
}
