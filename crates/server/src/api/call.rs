//! What every call has: a caller, a body, a count.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use serde::de::DeserializeOwned;

use crate::app::{App, Metrics};
use crate::auth::Caller;
use crate::problem::Problem;

/// Somebody whose token is known.
#[derive(Debug)]
pub struct Known(pub Caller);

impl FromRequestParts<Arc<App>> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
        app.auth.caller(header).cloned().map(Self)
    }
}

/// A JSON body, or a problem that says what is wrong with it.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let bytes = axum::body::Bytes::from_request(request, app)
            .await
            .map_err(|_| Problem::new(413, "too-large", "the body is too large or broke off"))?;
        let bytes = if bytes.is_empty() { axum::body::Bytes::from_static(b"{}") } else { bytes };
        serde_json::from_slice(&bytes).map(Self).map_err(|it| {
            Problem::new(400, "malformed", format!("the body is not understood: {it}"))
        })
    }
}

/// Reads something out of a path or a query.
pub fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|it: T::Err| Problem::new(400, "malformed", it.to_string()))
}

/// Counts every request.
pub async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    Metrics::count(&app.metrics.requests);
    let response = next.run(request).await;
    if 400 <= response.status().as_u16() {
        Metrics::count(&app.metrics.refused);
    }
    response
}

/// There is nothing at this address.
pub async fn nothing() -> Problem {
    Problem::unknown("such address")
}
