//! Waivers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::{Body, Known, parse};
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;
use crate::steps::waive::{self, WaiverRequest};

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(request))
        .routes(routes!(grant))
        .routes(routes!(end))
}

/// Every waiver.
#[utoipa::path(get, path = "/v1/waivers", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn list(State(app): State<Arc<App>>, Known(who): Known) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    let published = app.book.published();
    let each = published.registry.integrations.values().flat_map(|record| {
        record.waivers.values().map(|it| json!({ "integration": record.slug, "waiver": it }))
    });
    Ok(Json(each.collect()))
}

/// Asks for a waiver.
#[utoipa::path(post, path = "/v1/waivers", request_body = WaiverRequest, responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn request(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Body(sent): Body<WaiverRequest>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::RequestWaiver)?;
    Ok(Json(waive::request(&app, by, &sent).await?))
}

/// Grants a waiver that somebody else asked for.
#[utoipa::path(post, path = "/v1/waivers/{id}/grant", params(("id" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn grant(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::Decide)?;
    Ok(Json(waive::grant(&app, by, &parse(&id)?).await?))
}

/// Ends a waiver early.
#[utoipa::path(post, path = "/v1/waivers/{id}/end", params(("id" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn end(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::Decide)?;
    Ok(Json(waive::end(&app, by, &parse(&id)?).await?))
}
