//! Questions in the words of AuthZEN, sent to the adapter as a stranger's library would send them.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use countersign_gate::Gate;
use countersign_gate::adapter::authzen::{Settings, router};
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::Call;
use countersign_seal::Digest;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::clock;
use crate::table::mint;
use crate::world::{pins, right, snapshot};

/// A gate that has just heard from its server, behind the adapter.
pub(crate) fn served(manifest: &'static str) -> Router {
    let gate = Gate::new(pins());
    gate.load(&snapshot(&right(manifest)), clock::now().steady).unwrap();
    adapter(Arc::new(gate))
}

pub(crate) fn adapter(gate: Arc<Gate>) -> Router {
    let settings = Settings {
        url: "https://gate.example/".to_owned(),
        tokens: vec![Digest::of(b"first"), Digest::of(b"second")],
        clock: clock::now,
    };
    router(gate, settings)
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 22).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, text }
}

pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header("authorization", "Bearer second")
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap()
}

pub(crate) async fn ask(router: &Router, body: &Value) -> Answer {
    send(router, post("/access/v1/evaluation", body.to_string())).await
}

pub(crate) async fn ask_many(router: &Router, body: &Value) -> Answer {
    send(router, post("/access/v1/evaluations", body.to_string())).await
}

/// A call as somebody writes it who read the standard and our mapping.
pub(crate) fn evaluation(call: &Call) -> Value {
    let (kind, id) = match call.kind {
        PathKind::TokenMint => ("scope", call.scopes.join(" ")),
        PathKind::TokenUse => (
            "endpoint",
            format!(
                "{} {}",
                call.method.clone().unwrap_or_default(),
                call.path.clone().unwrap_or_default()
            ),
        ),
        PathKind::EventOut => ("event", call.event.clone().unwrap_or_default()),
        PathKind::Automation => ("workflow", call.subject.clone().unwrap_or_default()),
        _ => ("endpoint", call.subject.clone().unwrap_or_default()),
    };
    let mut context = json!({});
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            context[name] = value;
        }
    };
    add("grant_type", json!(call.grant_type));
    add("ttl_seconds", json!(call.ttl_seconds));
    add("auth", json!(call.auth));
    add("keys_at", json!(call.keys_at));
    add("credential", json!(call.credential));
    add("ip", json!(call.ip));
    add("url", json!(call.url));
    add("iat", json!(call.issued_at.map(countersign_model::time::Timestamp::seconds)));
    if call.kind == PathKind::TokenUse {
        add("scopes", json!(call.scopes));
    }
    if call.kind == PathKind::EventOut {
        add("subject", json!(call.subject));
    }
    if !call.causes.is_empty() {
        add("causes", json!(call.causes));
    }
    // An empty id is no id: such a call cannot be written in the standard's form.
    let id = if id.is_empty() { "none".to_owned() } else { id };
    json!({
        "subject": { "type": "client", "id": call.client },
        "action": { "name": call.kind.word() },
        "resource": { "type": kind, "id": id },
        "context": context,
    })
}

pub(crate) fn right_question() -> Value {
    evaluation(&mint("acme-helpdesk", "tickets:write"))
}
