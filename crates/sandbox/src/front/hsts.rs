//! Tells browsers to stay on HTTPS (RFC 6797).

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::partner::{Fault, Faults, TlsFault};

/// Adds the header to every answer.
pub(crate) async fn hsts(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if !faults.has(Fault::Tls(TlsFault::LacksHsts)) {
        let policy = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, policy);
    }
    response
}
