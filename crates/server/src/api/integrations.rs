//! Integrations: submitted, listed, compared.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use countersign_model::declare::Format;
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::{Body, Known, parse};
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;
use crate::steps::partial::Wanted;
use crate::steps::{check, declare, prove, show};

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(submit))
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(diff))
        .routes(routes!(proof))
        .routes(routes!(progress))
        .routes(routes!(assess))
        .routes(routes!(assessment))
        .routes(routes!(evidence))
}

/// A manifest as it is sent.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SubmitRequest {
    /// Its text.
    manifest: String,
    /// `toml` or `json`.
    format: String,
}

/// A run of the checks of one integration.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AssessRequest {
    /// Its name or id.
    integration: String,
    /// Checks, cases or controls to run; all that are due when left out. What is not run keeps its
    /// evidence while that is fresh.
    #[serde(default)]
    only: Vec<String>,
    /// How often; what changes from run to run counts as its worst.
    #[serde(default)]
    repeat: u32,
}

/// Takes a manifest in.
#[utoipa::path(post, path = "/v1/submissions", request_body = SubmitRequest, responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn submit(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Body(sent): Body<SubmitRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = who.may(Action::Submit)?;
    let format = match sent.format.as_str() {
        "json" => Format::Json,
        "toml" => Format::Toml,
        _ => return Err(Problem::new(400, "format", "`format` is `toml` or `json`")),
    };
    let answer = declare::submit(&app, by, &sent.manifest, format).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Every integration, by name.
#[utoipa::path(get, path = "/v1/integrations", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn list(State(app): State<Arc<App>>, Known(who): Known) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    Ok(Json(show::list(&app)))
}

/// One integration.
#[utoipa::path(get, path = "/v1/integrations/{name}", params(("name" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn one(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    Ok(Json(show::one(&app, &name).await?))
}

/// Declared, granted and certified, side by side.
#[utoipa::path(get, path = "/v1/integrations/{name}/diff", params(("name" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn diff(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    Ok(Json(show::diff(&app, &name).await?))
}

/// What proves control of the hosts that its manifest names, and where it has to be published.
#[utoipa::path(get, path = "/v1/integrations/{name}/proof", params(("name" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn proof(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    Ok(Json(prove::challenges(&app, &name).await?))
}

/// Runs the checks that are due.
#[utoipa::path(post, path = "/v1/assessments", request_body = AssessRequest, responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn assess(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Body(sent): Body<AssessRequest>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::Assess)?.clone();
    // A task of its own: what was begun is ended and written down, though the caller may hang up.
    let run = tokio::spawn(async move {
        let wanted = Wanted { only: sent.only, repeat: sent.repeat, ..Wanted::default() };
        check::assess(&app, &by, &sent.integration, &wanted).await
    });
    Ok(Json(run.await.map_err(|it| Problem::broken(&it))??))
}

/// How far the newest run of its checks has come.
#[utoipa::path(get, path = "/v1/integrations/{name}/progress", params(("name" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn progress(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    Ok(Json(check::progress(&app, &name)?))
}

/// A stored assessment.
#[utoipa::path(get, path = "/v1/assessments/{id}", params(("id" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn assessment(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    let found = show::assessment(&app, &parse(&id)?).await?;
    Ok(Json(serde_json::json!(found)))
}

/// A stored piece of evidence.
#[utoipa::path(get, path = "/v1/evidence/{id}", params(("id" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn evidence(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    let found = show::evidence(&app, &parse(&id)?).await?;
    Ok(Json(serde_json::json!(found)))
}
