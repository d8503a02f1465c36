//! AuthZEN over HTTP: `POST /access/v1/evaluation` for one question, `/access/v1/evaluations` for many.
//!
//! `GET /access/v1/decisions/{id}` explains one of the last answers; that one is our own.
//!
//! A "no" is 200 with `decision` false; 400 is for requests that are none; 401 for callers that
//! are not known.
//!
//! Source: AuthZEN Authorization API 1.0.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use countersign_model::enforce::Reason;
use countersign_model::id::DecisionId;
use countersign_model::time::Period;
use countersign_seal::Digest;
use serde_json::{Map, Value, json};
use subtle::{Choice, ConstantTimeEq as _};

use super::batch;
use super::evaluation::{Asked, BadRequest, Question, members, read};
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
        .route("/access/v1/evaluations", post(evaluate_many))
        .route("/access/v1/decisions/{id}", get(decision))
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

impl Shared {
    /// Puts one question to the gate.
    fn ask(&self, question: Question<'_>) -> Result<Value, BadRequest> {
        let asked = read(question)?;
        let now = (self.settings.clock)();
        let answer = match &asked {
            Asked::Call(call) => self.gate.decide(call, now.steady, now.wall),
            Asked::UnknownWord => self.gate.refuse_unknown(now.steady, now.wall),
        };
        Ok(said(&answer, now))
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
        "access_evaluations_endpoint": format!("{url}/access/v1/evaluations"),
    });
    axum::Json(body).into_response()
}

async fn evaluate(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let own = match receive(&shared, request).await {
        Ok(it) => it,
        Err(refusal) => return refusal,
    };
    answer(shared.ask(Question { own: &own, defaults: None }))
}

async fn evaluate_many(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let own = match receive(&shared, request).await {
        Ok(it) => it,
        Err(refusal) => return refusal,
    };
    answer(batch::evaluate(&own, |it| shared.ask(it)))
}

/// What was decided, known, and would be decided now. Whoever may ask may read.
async fn decision(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !shared.knows(&headers) {
        return unknown_caller();
    }
    let Ok(id) = id.parse::<DecisionId>() else {
        return refused("a decision's id is `dec_` and 26 characters");
    };
    let Some(record) = shared.gate.record(&id) else {
        let text = "this gate remembers no such decision";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let again = shared.gate.replay(&id);
    answer(Ok(json!({
        "schema": "countersign.gate-decision/1",
        "decision": record.answer.decision,
        "admitted": record.answer.is_admitted(),
        "reason": reason(record.answer.reason),
        "at": record.at,
        "call": record.call,
        "integration": record.answer.integration,
        "certificate": record.answer.certificate,
        "epoch": record.answer.epoch,
        "age_ms": record.answer.age_ms(),
        "stale_but_admitted": record.answer.stale_but_admitted,
        "explain": record.explain(),
        "again": again.map(|it| json!({ "reason": reason(it.again), "epoch": it.epoch })),
    })))
}

fn answer(body: Result<Value, BadRequest>) -> Response {
    match body {
        Ok(body) => ([(CACHE_CONTROL, "no-store")], axum::Json(body)).into_response(),
        Err(error) => refused(error.to_string()),
    }
}

fn unknown_caller() -> Response {
    let challenge = [(WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, "a bearer token is needed").into_response()
}

/// The members of a request by somebody who may ask.
async fn receive(shared: &Shared, request: Request) -> Result<Map<String, Value>, Response> {
    let (parts, body) = request.into_parts();
    if !shared.knows(&parts.headers) {
        return Err(unknown_caller());
    }
    if !is_json(&parts.headers) {
        return Err(refused("the content type is not `application/json`"));
    }
    let body = bytes(body).await?;
    members(&body).map_err(|it| refused(it.to_string()))
}

async fn bytes(body: Body) -> Result<axum::body::Bytes, Response> {
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
