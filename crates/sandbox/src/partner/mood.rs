//! Faults that spoil every answer alike.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;

use super::Fault;
use super::fault::Faults;

/// Answers as the faults of the moment have it, or lets the request through.
pub(crate) async fn mood(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    if faults.has(Fault::AllErrors) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    if faults.has(Fault::AllSuccess) {
        return StatusCode::OK.into_response();
    }
    if faults.has(Fault::Hangs) {
        std::future::pending::<()>().await;
    }
    if faults.has(Fault::ClosesHalfWay) {
        return half();
    }
    next.run(request).await
}

/// Promises a thousand bytes, sends a few, and breaks the connection.
fn half() -> Response {
    let broken = std::io::Error::other("broken off");
    let parts = stream::iter([Ok(Bytes::from_static(b"{\"sta")), Err(broken)]);
    ([(header::CONTENT_LENGTH, "1000")], Body::from_stream(parts)).into_response()
}
