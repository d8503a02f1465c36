//! Evidence packs, and the keys that they verify with.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::Known;
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;
use crate::steps::pack;

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(one)).routes(routes!(keys))
}

/// Everything that is needed to verify a certificate offline.
#[utoipa::path(get, path = "/v1/packs/{name}", params(("name" = String, Path)), responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn one(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    who.may(Action::Export)?;
    let bytes = pack::pack(&app, &name).await?;
    Ok(([(CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// The public keys of this server and its people, to be compared with what came another way.
#[utoipa::path(get, path = "/v1/keys", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn keys(State(app): State<Arc<App>>, Known(who): Known) -> Result<Json<Value>, Problem> {
    who.may(Action::Read)?;
    Ok(Json(json!(pack::keys(&app)?)))
}
