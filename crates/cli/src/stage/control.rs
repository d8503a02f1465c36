//! A running sandbox is told what to do over a port of loopback, with a token from its folder.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use countersign_gate::adapter::authzen;
use countersign_gate::clock;
use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::manifests::Version;
use countersign_sandbox::{Fault, Kind};
use countersign_seal::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Sandbox, Stage, StageError, seat};

/// The open control port.
#[derive(Debug)]
pub(crate) struct Control {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// How to reach a control port, as the folder says it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seat {
    schema: String,
    address: SocketAddr,
    token: String,
}

/// Faults to have from now on, and no others.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFaults {
    integration: String,
    faults: Vec<Fault>,
}

/// Work to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DoBusiness {
    integration: String,
    lane: Lane,
    n: u32,
}

/// Whether partners go on working.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BeBusy {
    on: bool,
}

/// More to grant, or to try.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    integration: String,
    lane: Lane,
}

/// A file that proves control of a host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceProof {
    integration: String,
    file: String,
    text: String,
}

#[derive(Debug)]
struct Shared {
    sandbox: Arc<Sandbox>,
    token: Digest,
}

const SCHEMA: &str = "countersign.sandbox-control/1";
const BODY_BYTES_MAX: usize = 64 * 1024;
const PIECES_MAX: u32 = 1_000;

impl Control {
    /// Opens the port, and writes into the folder how to reach it.
    pub(crate) async fn open(stage: &Stage, sandbox: Arc<Sandbox>) -> Result<Self, StageError> {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = TcpListener::bind(loopback).await.map_err(StageError::NoPort)?;
        let address = listener.local_addr().map_err(StageError::NoPort)?;
        let token = seat::token()?;
        let asked = gates(stage, &sandbox, address);
        let shared = Arc::new(Shared { sandbox, token: Digest::of(token.as_bytes()) });
        let router = Router::new()
            .route("/", get(list))
            .route("/faults", post(faults))
            .route("/business", post(business))
            .route("/busy", post(busy))
            .route("/grants", post(grant))
            .route("/attempts", post(attempt))
            .route("/proofs", post(proofs))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), known))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(shared);
        let router = router.merge(asked);
        let (stop, mut stopped) = watch::channel(false);
        let serving = tokio::spawn(async move {
            let ended = async move { drop(stopped.wait_for(|it| *it).await) };
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(ended).await {
                tracing::error!(%error, "the control port ended");
            }
        });
        let seat = Seat { schema: SCHEMA.to_owned(), address, token };
        let text =
            serde_json::to_string_pretty(&seat).map_err(|it| StageError::Shape(it.to_string()))?;
        seat::replace(&stage.folder.join("sandbox/control.json"), &text)?;
        Ok(Self { address, stop, serving })
    }

    /// Closes it.
    pub(crate) async fn close(self) {
        self.stop.send_replace(true);
        drop(self.serving.await);
    }
}

/// Each gate answers AuthZEN below `/gates/NAME`, to whoever holds the gate's token.
fn gates(stage: &Stage, sandbox: &Sandbox, address: SocketAddr) -> Router {
    let mut router = Router::new();
    for (name, gate) in &sandbox.gates {
        let tokens = stage.gates.iter().filter(|it| it.name == *name);
        let settings = authzen::Settings {
            url: format!("http://{address}/gates/{name}"),
            tokens: tokens.map(|it| Digest::of(it.token.as_bytes())).collect(),
            clock: clock::now,
        };
        let adapter = authzen::router(Arc::clone(gate), settings);
        router = router.nest(&format!("/gates/{name}"), adapter);
    }
    router
}

/// Address and token of the sandbox that runs in a folder.
pub(crate) fn reach(folder: &Path) -> Result<(String, String), StageError> {
    let path = folder.join("sandbox/control.json");
    let text = std::fs::read_to_string(&path).map_err(StageError::file("read", &path))?;
    let seat: Seat = serde_json::from_str(&text)
        .map_err(|it| StageError::Shape(format!("`{}`: {it}", path.display())))?;
    Ok((format!("http://{}", seat.address), seat.token))
}

/// A fault by its name: `log-gap`.
pub(crate) fn fault(word: &str) -> Result<Fault, String> {
    serde_json::from_value(Value::from(word)).map_err(|it| it.to_string())
}

/// A partner by the name of its integration.
pub(crate) fn kind(slug: &str) -> Result<Kind, String> {
    let names: Vec<&str> = Kind::ALL.iter().map(|it| it.slug()).collect();
    let known = Kind::ALL.into_iter().find(|it| it.slug() == slug);
    known.ok_or_else(|| format!("`{slug}` is not one of {}", names.join(", ")))
}

/// A refusal, as the client reads it.
#[derive(Debug)]
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "title": self.1, "status": self.0.as_u16() }))).into_response()
    }
}

fn known_kind(slug: &str) -> Result<Kind, Refused> {
    kind(slug).map_err(|it| Refused(StatusCode::NOT_FOUND, it))
}

async fn known(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let given = given.and_then(|it| it.strip_prefix("Bearer "));
    if given.is_some_and(|it| Digest::of(it.as_bytes()) == shared.token) {
        return next.run(request).await;
    }
    Refused(StatusCode::UNAUTHORIZED, "the token of the folder is needed".to_owned())
        .into_response()
}

async fn list(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let world = &shared.sandbox.world;
    let partners = Kind::ALL.map(|kind| {
        let partner = world.partner(kind);
        json!({
            "integration": kind.slug(), "faults": partner.faults(),
            "hosts": kind.hosts(), "address": partner.address(),
        })
    });
    let now = clock::now();
    let gates: Vec<Value> = shared
        .sandbox
        .gates
        .iter()
        .map(|(name, gate)| {
            let call = countersign_model::enforce::Call::new(
                countersign_model::declare::path::PathKind::TokenMint,
                "nobody",
            );
            let answer = gate.decide(&call, now.steady, now.wall);
            json!({
                "gate": name, "lane": gate.lane(), "epoch": answer.epoch,
                "age_ms": answer.age_ms(), "fresh": !answer.fresh_for.is_zero(),
            })
        })
        .collect();
    Json(json!({ "schema": "countersign.sandbox/1", "partners": partners, "gates": gates }))
}

async fn faults(
    State(shared): State<Arc<Shared>>,
    Json(sent): Json<SetFaults>,
) -> Result<Json<Value>, Refused> {
    let kind = known_kind(&sent.integration)?;
    let set = shared.sandbox.world.set_faults(kind, sent.faults).await;
    set.map_err(|it| Refused(StatusCode::INTERNAL_SERVER_ERROR, it.to_string()))?;
    let faults = shared.sandbox.world.partner(kind).faults();
    Ok(Json(json!({
        "schema": "countersign.sandbox-faults/1", "integration": kind.slug(), "faults": faults,
    })))
}

async fn business(
    State(shared): State<Arc<Shared>>,
    Json(sent): Json<DoBusiness>,
) -> Result<Json<Value>, Refused> {
    let kind = known_kind(&sent.integration)?;
    if PIECES_MAX < sent.n {
        let text = format!("at most {PIECES_MAX} pieces of work at once");
        return Err(Refused(StatusCode::BAD_REQUEST, text));
    }
    let done = shared.sandbox.world.partner(kind).business(sent.lane, sent.n).await;
    let counted = |it: &countersign_sandbox::partner::Counted| {
        let refused: &BTreeMap<String, u32> = &it.refused;
        json!({ "admitted": it.admitted, "refused": refused })
    };
    Ok(Json(json!({
        "schema": "countersign.sandbox-business/1", "integration": kind.slug(),
        "lane": sent.lane, "pieces": sent.n,
        "tokens": counted(&done.tokens), "calls": counted(&done.calls),
    })))
}

async fn busy(State(shared): State<Arc<Shared>>, Json(sent): Json<BeBusy>) -> Json<Value> {
    shared.sandbox.busy(sent.on);
    Json(json!({ "schema": "countersign.sandbox-busy/1", "busy": sent.on }))
}

/// An administrator grants what the changed manifest asks for.
async fn grant(
    State(shared): State<Arc<Shared>>,
    Json(sent): Json<More>,
) -> Result<Json<Value>, Refused> {
    let kind = known_kind(&sent.integration)?;
    let granted = shared.sandbox.world.grant(kind, sent.lane, Version::Changed);
    granted.map_err(|it| Refused(StatusCode::INTERNAL_SERVER_ERROR, it.to_string()))?;
    Ok(Json(json!({
        "schema": "countersign.sandbox-grant/1", "integration": kind.slug(), "lane": sent.lane,
    })))
}

/// The partner uses it.
async fn attempt(
    State(shared): State<Arc<Shared>>,
    Json(sent): Json<More>,
) -> Result<Json<Value>, Refused> {
    let kind = known_kind(&sent.integration)?;
    let tried = shared.sandbox.world.ask_for_more(kind, sent.lane).await;
    let refused = tried.map_err(|it| Refused(StatusCode::INTERNAL_SERVER_ERROR, it.to_string()))?;
    Ok(Json(json!({
        "schema": "countersign.sandbox-attempt/1", "integration": kind.slug(),
        "lane": sent.lane, "refused": refused,
    })))
}

async fn proofs(
    State(shared): State<Arc<Shared>>,
    Json(sent): Json<PlaceProof>,
) -> Result<Json<Value>, Refused> {
    let kind = known_kind(&sent.integration)?;
    shared.sandbox.world.partner(kind).place_proof(&sent.file, &sent.text);
    Ok(Json(json!({ "integration": kind.slug(), "file": sent.file })))
}
