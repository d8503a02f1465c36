//! Reviews: the queue, a packet, a decision.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use countersign_model::declare::words::ScopeName;
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::{Body, Known, parse};
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;
use crate::steps::review::{self, DecisionRequest};
use crate::steps::show;

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(queue)).routes(routes!(packet)).routes(routes!(decide))
}

/// Scopes to leave out.
#[derive(Debug, Deserialize)]
struct Without {
    without: Option<String>,
}

/// What waits for people.
#[utoipa::path(get, path = "/v1/reviews", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn queue(State(app): State<Arc<App>>, Known(who): Known) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    Ok(Json(show::queue(&app)))
}

/// What would be decided, and the bytes to sign.
#[utoipa::path(get, path = "/v1/reviews/{name}", params(("name" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn packet(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(name): Path<String>,
    Query(query): Query<Without>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    let words = query.without.unwrap_or_default();
    let scopes = words.split(',').filter(|it| !it.is_empty()).map(parse::<ScopeName>);
    let without = scopes.collect::<Result<_, _>>()?;
    Ok(Json(review::show(&app, &name, &without).await?))
}

/// One person decides.
#[utoipa::path(post, path = "/v1/reviews/{name}/decision", request_body = DecisionRequest, params(("name" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn decide(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(name): Path<String>,
    Body(sent): Body<DecisionRequest>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::Decide)?;
    Ok(Json(review::decide(&app, by, &name, &sent).await?))
}
