//! The published log.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use countersign_ledger::Resource;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::{Known, parse};
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;
use crate::steps::show;

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(checkpoint))
        .routes(routes!(tile))
        .routes(routes!(proof))
        .routes(routes!(vkey))
        .routes(routes!(entries))
}

/// Which entry.
#[derive(Debug, Deserialize)]
struct At {
    index: u64,
}

/// Which entries.
#[derive(Debug, Deserialize)]
struct Range {
    from: Option<u64>,
    n: Option<u64>,
}

/// The signed checkpoint.
#[utoipa::path(get, path = "/v1/log/checkpoint", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn checkpoint(State(app): State<Arc<App>>, Known(who): Known) -> Result<String, Problem> {
    who.may(Action::Read)?;
    app.book.checkpoint().ok_or_else(|| Problem::unknown("checkpoint yet"))
}

/// A tile of hashes or entries.
#[utoipa::path(get, path = "/v1/log/tile/{*path}", params(("path" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn tile(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(path): Path<String>,
) -> Result<Vec<u8>, Problem> {
    who.may(Action::Read)?;
    let resource: Resource = parse(&format!("tile/{path}"))?;
    app.book.resource(&resource).await?.ok_or_else(|| Problem::unknown("such tile"))
}

/// The proof file of an entry.
#[utoipa::path(get, path = "/v1/log/proof", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn proof(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Query(query): Query<At>,
) -> Result<String, Problem> {
    who.may(Action::Read)?;
    if app.book.published().registry.size <= query.index {
        return Err(Problem::unknown("such entry"));
    }
    Ok(app.book.proof(query.index).await?.to_string())
}

/// The key that verifies checkpoints.
#[utoipa::path(get, path = "/v1/log/vkey", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn vkey(State(app): State<Arc<App>>, Known(who): Known) -> Result<String, Problem> {
    who.may(Action::Read)?;
    show::vkey(&app)
}

/// Entries, with their indices.
#[utoipa::path(get, path = "/v1/log/entries", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn entries(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Query(query): Query<Range>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    let n = query.n.unwrap_or(100);
    let mut entries = Vec::new();
    for (index, bytes) in app.book.entries(query.from.unwrap_or(0), n).await? {
        let entry: Value = serde_json::from_slice(&bytes).map_err(|it| Problem::broken(&it))?;
        entries.push(json!({ "index": index, "entry": entry }));
    }
    Ok(Json(json!({ "size": app.book.published().registry.size, "entries": entries })))
}
