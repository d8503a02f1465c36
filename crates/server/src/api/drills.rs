//! Drills.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::{Body, Known};
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;
use crate::steps::drill::{self, DrillRequest};

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(rehearse)).routes(routes!(list))
}

/// Rehearses a withdrawal, a rotation or an offboarding, with a stopwatch; in shadow it only says
/// what it would do.
#[utoipa::path(post, path = "/v1/drills", request_body = DrillRequest, responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn rehearse(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Body(sent): Body<DrillRequest>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::Drill)?;
    Ok(Json(drill::drill(&app, by, sent).await?))
}

/// Whose drills.
#[derive(Debug, Deserialize)]
struct Of {
    integration: String,
}

/// The newest live drills of an integration, the newest first.
#[utoipa::path(get, path = "/v1/drills", params(("integration" = String, Query, description = "its name or id")), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn list(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Query(of): Query<Of>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    Ok(Json(drill::list(&app, &of.integration).await?))
}
