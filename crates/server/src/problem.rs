//! Why a request was refused: RFC 9457.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Why a request was refused, or could not be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// A word that programs can read: `moved`.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
    /// Diagnostics of a manifest.
    pub diagnostics: Option<Value>,
}

impl Problem {
    /// A problem.
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), diagnostics: None }
    }

    /// Somebody changed it meanwhile.
    pub fn moved(detail: impl Into<String>) -> Self {
        Self::new(409, "moved", detail)
    }

    /// There is no such thing.
    pub fn unknown(what: &str) -> Self {
        Self::new(404, "unknown", format!("there is no {what}"))
    }

    /// We could not do our work. The cause goes to the log, not to the caller.
    pub fn broken(error: &dyn std::error::Error) -> Self {
        let mut cause = error.to_string();
        let mut source = error.source();
        while let Some(it) = source {
            cause = format!("{cause}: {it}");
            source = it.source();
        }
        tracing::error!(%cause, "a request could not be served");
        Self::new(500, "broken", "the server could not do its work; see its log")
    }

    /// The document.
    pub fn document(&self) -> Value {
        let title = match self.status {
            400 => "Bad request",
            401 => "Sign in",
            403 => "You may not",
            404 => "Not found",
            409 => "Moved",
            422 => "Not judged",
            502 => "Unreachable",
            503 => "Busy",
            _ => "Broken",
        };
        let mut document = json!({
            "type": format!("urn:countersign:problem:{}", self.code),
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        });
        if let (Some(diagnostics), Some(it)) = (&self.diagnostics, document.as_object_mut()) {
            it.insert("diagnostics".to_owned(), diagnostics.clone());
        }
        document
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = self.document().to_string();
        (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}
