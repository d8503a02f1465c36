//! Revocations and suspensions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::{Body, Known, parse};
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;
use crate::steps::after;
use crate::steps::revoke::{self, WithdrawRequest};

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(withdraw))
        .routes(routes!(one))
        .routes(routes!(retry))
        .routes(routes!(resume))
        .routes(routes!(destroy))
}

/// Withdraws trust on every path.
#[utoipa::path(post, path = "/v1/revocations", request_body = WithdrawRequest, responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn withdraw(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Body(sent): Body<WithdrawRequest>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::Withdraw)?;
    Ok(Json(revoke::withdraw(&app, by, &sent).await?))
}

/// How far a withdrawal has come.
#[utoipa::path(get, path = "/v1/revocations/{id}", params(("id" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn one(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    let published = app.book.published();
    let (_, withdrawal) = revoke::lookup(&published.registry, &parse(&id)?)?;
    Ok(Json(revoke::receipt(withdrawal, &[])))
}

/// Tries again what is not proven.
#[utoipa::path(post, path = "/v1/revocations/{id}/retry", params(("id" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn retry(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let _by = who.may(Action::Withdraw)?;
    Ok(Json(revoke::retry(&app, &parse(&id)?).await?))
}

/// One of two people ends a suspension.
#[utoipa::path(post, path = "/v1/revocations/{id}/resume", params(("id" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn resume(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::Decide)?;
    Ok(Json(after::resume(&app, by, &parse(&id)?).await?))
}

/// One of two people has credentials deleted.
#[utoipa::path(post, path = "/v1/revocations/{id}/destroy", params(("id" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn destroy(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::Decide)?;
    Ok(Json(after::destroy(&app, by, &parse(&id)?).await?))
}
