//! Imports: what a platform holds, reconciled with what is known here. Adoptions alone are written down.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::{Body, Known};
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;
use crate::steps::population::{self, ImportRequest};

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(import)).routes(routes!(figures))
}

/// Lists a platform's clients, each as one thing, with drafts for those that nobody declared.
#[utoipa::path(post, path = "/v1/imports", request_body = ImportRequest, responses((status = 200), (status = "4XX", description = "A problem, RFC 9457"), (status = 502, description = "The platform cannot be asked, RFC 9457")))]
async fn import(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Body(asked): Body<ImportRequest>,
) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    if population::adopts_more(&app, &asked).await? {
        population::adopt(&app, who.may(Action::Adopt)?, &asked).await?;
    }
    Ok(Json(population::import(&app, asked).await?))
}

/// How many clients production holds, how many are known, and how many nobody answers for; null where it does not tell.
#[utoipa::path(get, path = "/v1/population", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn figures(State(app): State<Arc<App>>, Known(who): Known) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    Ok(Json(population::figures(&app).await.unwrap_or_default()))
}
