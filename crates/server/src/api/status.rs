//! Status of certificates: lists and single marks.

use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::Known;
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;
use crate::steps::show;

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(trust_mark))
}

/// A trust mark.
#[derive(Debug, Deserialize)]
struct Mark {
    trust_mark: String,
}

/// The token status list of all certificates.
#[utoipa::path(get, path = "/statuslists/1", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn list(State(app): State<Arc<App>>, Known(who): Known) -> Result<Response, Problem> {
    who.may(Action::Read)?;
    let token = show::status_list(&app)?;
    Ok(([(CONTENT_TYPE, "application/statuslist+jwt")], token).into_response())
}

/// What a trust mark says now.
#[utoipa::path(post, path = "/federation/trust_mark_status", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn trust_mark(
    State(app): State<Arc<App>>,
    Known(who): Known,
    Form(sent): Form<Mark>,
) -> Result<Response, Problem> {
    who.may(Action::Read)?;
    let token = show::trust_mark(&app, &sent.trust_mark)?;
    let kind = "application/trust-mark-status-response+jwt";
    Ok(([(CONTENT_TYPE, kind)], token).into_response())
}
