//! Certifications: plan, then apply.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use countersign_model::id::PlanId;
use countersign_seal::Digest;
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::{Body, Known};
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;
use crate::steps::certify;

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(plan)).routes(routes!(apply))
}

/// A request to plan.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PlanRequest {
    /// The integration.
    integration: String,
}

/// A request to apply a plan.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ApplyRequest {
    /// The plan.
    #[schema(value_type = String)]
    plan: PlanId,
    /// Its digest, as it was shown.
    #[schema(value_type = String)]
    digest: Digest,
}

/// Shows what would be signed.
#[utoipa::path(post, path = "/v1/certifications/plan", request_body = PlanRequest, responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn plan(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Body(sent): Body<PlanRequest>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::Certify)?;
    Ok(Json(certify::plan(&app, by, &sent.integration).await?))
}

/// Signs, if nothing has moved since the plan.
#[utoipa::path(post, path = "/v1/certifications/apply", request_body = ApplyRequest, responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn apply(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Body(sent): Body<ApplyRequest>,
) -> Result<Json<Value>, Problem> {
    let by = who.may(Action::Certify)?;
    Ok(Json(certify::apply(&app, by, &sent.plan, sent.digest).await?))
}
