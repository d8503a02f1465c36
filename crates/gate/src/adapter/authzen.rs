//! AuthZEN over HTTP: `POST /access/v1/evaluation`.
//!
//! A "no" is 200 with `decision` false; 400 is for requests that are none; 401 for callers that
//! are not known.
//!
//! Source: AuthZEN Authorization API 1.0.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use countersign_model::enforce::Reason;
use countersign_model::time::Period;
use countersign_seal::Digest;
use serde_json::{Value, json};
use subtle::{Choice, ConstantTimeEq as _};

use super::evaluation::{Asked, read};
use crate::clock::Moment;
use crate::gate::{Answer, Gate};

/// The largest request that is read.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a request may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(5);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_BYTES_MAX: usize = 256;

/// How a gate is asked over HTTP.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it is reached, as callers know it: `https://gate.example`.
    pub url: String,
    /// SHA-256 of each bearer token that may ask. Empty: nobody may.
    pub tokens: Vec<Digest>,
    /// The clock: [`crate::clock::now`].
    pub clock: fn() -> Moment,
}

/// The routes, ready to be served.
pub fn router(gate: Arc<Gate>, settings: Settings) -> Router {
    let shared = Arc::new(Shared { gate, settings });
    Router::new()
        .route("/access/v1/evaluation", post(evaluate))
        .route("/.well-known/authzen-configuration", get(configuration))
        .layer(from_fn(echo_request_id))
        .with_state(shared)
}

#[derive(Debug)]
struct Shared {
    gate: Arc<Gate>,
    settings: Settings,
}

impl Shared {
    /// Whether a caller holds one of the tokens. All are compared, and all in the same time.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let Some(token) = bearer(headers) else { return false };
        let given = Digest::of(token);
        let found = self
            .settings
            .tokens
            .iter()
            .fold(Choice::from(0), |found, it| found | it.as_bytes().ct_eq(given.as_bytes()));
        found.into()
    }
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (scheme, token) = all.next()?.as_bytes().split_at_checked(7)?;
    let only = all.next().is_none() && scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty();
    only.then_some(token)
}

async fn configuration(State(shared): State<Arc<Shared>>) -> Response {
    let url = shared.settings.url.trim_end_matches('/');
    let body = json!({
        "policy_decision_point": url,
        "access_evaluation_endpoint": format!("{url}/access/v1/evaluation"),
    });
    axum::Json(body).into_response()
}

async fn evaluate(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !shared.knows(&parts.headers) {
        let challenge = [(WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, challenge, "a bearer token is needed").into_response();
    }
    if !is_json(&parts.headers) {
        return refused("the content type is not `application/json`");
    }
    let body = match receive(body).await {
        Ok(it) => it,
        Err(refusal) => return refusal,
    };
    let asked = match read(&body) {
        Ok(it) => it,
        Err(error) => return refused(error.to_string()),
    };
    let body = match asked {
        Asked::UnknownWord => json!({
            "decision": false,
            "context": { "reason": reason(Reason::UnknownWord), "epoch": shared.gate.epoch() },
        }),
        Asked::Call(call) => {
            let now = (shared.settings.clock)();
            said(&shared.gate.decide(&call, now.steady, now.wall), now)
        }
    };
    ([(CACHE_CONTROL, "no-store")], axum::Json(body)).into_response()
}

async fn receive(body: Body) -> Result<axum::body::Bytes, Response> {
    match tokio::time::timeout(BODY_WAIT, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(it)) => Ok(it),
        Ok(Err(_)) => Err(refused("the body is too large or ends early")),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long").into_response()),
    }
}

fn refused(why: impl Into<String>) -> Response {
    (StatusCode::BAD_REQUEST, why.into()).into_response()
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn reason(reason: Reason) -> Value {
    json!({ "code": reason.code(), "explain": reason.explain() })
}

/// The answer as AuthZEN has it; what the standard has no place for stands in the context.
fn said(answer: &Answer, now: Moment) -> Value {
    let as_of = answer.age_ms().map(|it| (now.wall - Period::from_millis(it)).to_string());
    json!({
        "decision": answer.is_admitted(),
        "context": {
            "reason": reason(answer.reason),
            "decision_id": answer.decision,
            "integration": answer.integration,
            "certificate": answer.certificate,
            "epoch": answer.epoch,
            "as_of": as_of,
            "age_ms": answer.age_ms(),
            "fresh_for_ms": u64::try_from(answer.fresh_for.as_millis()).unwrap_or(u64::MAX),
            "stale_but_admitted": answer.stale_but_admitted,
        },
    })
}

/// Every answer carries the request's own name, also the refusals.
async fn echo_request_id(request: Request, next: Next) -> Response {
    let id: Option<HeaderValue> =
        request.headers().get(&REQUEST_ID).filter(|it| it.len() <= REQUEST_ID_BYTES_MAX).cloned();
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
