//! The API: one file for each noun.

pub mod call;
mod certifications;
mod drills;
mod gates;
mod health;
mod imports;
mod integrations;
mod log;
mod packs;
mod reviews;
mod revocations;
mod status;
mod waivers;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::{Router, middleware};
use tower::limit::ConcurrencyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The largest body that is read: a manifest is at most 256 KiB, in JSON a little more.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How many requests at once; gates ask often and briefly.
const REQUESTS_MAX: usize = 512;
/// A run of checks against a slow partner is the longest.
const REQUEST_SECONDS_MAX: u64 = 600;

#[derive(OpenApi)]
#[openapi(info(
    title = "Countersign",
    description = "Certifies integrations, holds them to it, and withdraws trust."
))]
struct Document;

/// All routes, with their description.
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(certifications::routes())
        .merge(drills::routes())
        .merge(gates::routes())
        .merge(health::routes())
        .merge(imports::routes())
        .merge(integrations::routes())
        .merge(log::routes())
        .merge(packs::routes())
        .merge(reviews::routes())
        .merge(revocations::routes())
        .merge(status::routes())
        .merge(waivers::routes())
}

/// The description of the API: OpenAPI 3.1.
pub fn openapi() -> String {
    let document = routes().split_for_parts().1;
    serde_json::to_string_pretty(&document).map(|it| it + "\n").unwrap_or_default()
}

/// The API over an application.
pub fn router(app: Arc<App>) -> Router {
    let counted = middleware::from_fn_with_state(Arc::clone(&app), call::count);
    let timeout = Duration::from_secs(REQUEST_SECONDS_MAX);
    routes()
        .split_for_parts()
        .0
        .fallback(call::nothing)
        .layer(counted)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, timeout))
        .layer(ConcurrencyLimitLayer::new(REQUESTS_MAX))
        .with_state(app)
}
