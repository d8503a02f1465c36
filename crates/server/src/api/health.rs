//! Health, figures and the description of the API.

use std::sync::Arc;

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::Known;
use crate::app::App;
use crate::auth::Action;
use crate::problem::Problem;

/// The routes of this noun.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(metrics)).routes(routes!(openapi))
}

/// Whether it serves; open.
#[utoipa::path(get, path = "/health", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn health(State(app): State<Arc<App>>) -> Json<Value> {
    let published = app.book.published();
    Json(json!({ "ok": true, "epoch": published.epoch, "log_size": published.registry.size }))
}

/// Figures, as Prometheus reads them.
#[utoipa::path(get, path = "/metrics", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn metrics(State(app): State<Arc<App>>, Known(who): Known) -> Result<Response, Problem> {
    who.may(Action::Read)?;
    let published = app.book.published();
    let figures = [
        ("countersign_requests_total", "counter", app.metrics.requests.load(Ordering::Relaxed)),
        (
            "countersign_requests_refused_total",
            "counter",
            app.metrics.refused.load(Ordering::Relaxed),
        ),
        ("countersign_heartbeats_total", "counter", app.metrics.heartbeats.load(Ordering::Relaxed)),
        ("countersign_log_entries", "gauge", published.registry.size),
        ("countersign_epoch", "gauge", published.epoch),
        ("countersign_integrations", "gauge", published.registry.integrations.len() as u64),
    ];
    let line =
        |(name, kind, value): &(&str, &str, u64)| format!("# TYPE {name} {kind}\n{name} {value}\n");
    let text: String = figures.iter().map(line).collect();
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200), (status = "4XX", description = "A problem, RFC 9457")))]
async fn openapi(Known(who): Known) -> Result<Response, Problem> {
    who.may(Action::Read)?;
    Ok(([(CONTENT_TYPE, "application/json")], super::openapi()).into_response())
}
