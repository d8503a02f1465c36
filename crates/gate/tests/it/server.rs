//! A server as a gate sees it, over a real socket: right, gone, or lying in one way.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use countersign_gate::follow::{FollowConfig, Follower, Token};
use countersign_gate::{Gate, Moment};
use countersign_model::enforce::snapshot::{HEARTBEAT_TYPE, Heartbeat, Lane};
use countersign_seal::{Digest, jwt};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::clock;
use crate::world::{Making, key, snapshot};

/// What the server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    AnotherGatesHeartbeat,
    AnotherKeysHeartbeat,
    AnotherTypesHeartbeat,
    Broken,
    EndlessHeartbeat,
    EndlessSnapshot,
    Garbage,
    HeartbeatGoesBack,
    NeverTheSnapshotInForce,
    None,
    OldHeartbeat,
    Redirects,
    SkewedHeartbeat,
    UnsignedHeartbeat,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) snapshot: Vec<u8>,
    pub(crate) epoch: u64,
    pub(crate) lie: Lie,
    pub(crate) acks: Vec<u64>,
    pub(crate) snapshots_given: u32,
    first_heartbeat: Option<String>,
}

pub(crate) struct Server {
    pub(crate) inner: Arc<Mutex<Inner>>,
    pub(crate) address: SocketAddr,
    task: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) async fn new(making: &Making) -> Self {
        let inner = Inner {
            snapshot: snapshot(making),
            epoch: making.epoch,
            lie: Lie::None,
            acks: Vec::new(),
            snapshots_given: 0,
            first_heartbeat: None,
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { inner: Arc::new(Mutex::new(inner)), address, task: None };
        server.start().await;
        server
    }

    /// Listens, at the same address as before if there was one.
    pub(crate) async fn start(&mut self) {
        let listener = tokio::net::TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/v1/gate/heartbeat", get(heartbeat))
            .route("/v1/gate/snapshot", get(given))
            .route("/v1/gate/acks", post(ack))
            .with_state(Arc::clone(&self.inner));
        self.task = Some(tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        }));
    }

    /// Is gone: nobody listens any more.
    pub(crate) async fn stop(&mut self) {
        let task = self.task.take().unwrap();
        task.abort();
        let _aborted = task.await;
    }

    pub(crate) fn publish(&self, making: &Making) {
        let mut inner = self.inner.lock().unwrap();
        inner.snapshot = snapshot(making);
        inner.epoch = making.epoch;
    }

    pub(crate) fn lie(&self, lie: Lie) {
        self.inner.lock().unwrap().lie = lie;
    }

    pub(crate) fn follower(&self, gate: &Arc<Gate>) -> Follower {
        self.follower_with(gate, "token", clock::now)
    }

    pub(crate) fn follower_with(
        &self,
        gate: &Arc<Gate>,
        token: &str,
        clock: fn() -> Moment,
    ) -> Follower {
        let _again = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy();
        let config = FollowConfig {
            server: format!("http://{}/", self.address).parse().unwrap(),
            gate: "front".to_owned(),
            token: Token::new(token),
            every: Duration::from_millis(10),
            client: client.redirect(reqwest::redirect::Policy::none()).build().unwrap(),
        };
        Follower::new(Arc::clone(gate), config).with_clock(clock)
    }
}

type Shared = State<Arc<Mutex<Inner>>>;

fn knows(headers: &HeaderMap) -> Result<(), StatusCode> {
    let token = headers.get("authorization").and_then(|it| it.to_str().ok());
    if token == Some("Bearer token") { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
}

#[derive(serde::Deserialize)]
struct Beat {
    lane: String,
    nonce: String,
}

async fn heartbeat(
    State(inner): Shared,
    headers: HeaderMap,
    Query(asked): Query<Beat>,
) -> Result<Response, StatusCode> {
    knows(&headers)?;
    assert_eq!(asked.lane, "certified");
    let mut inner = inner.lock().unwrap();
    let lie = inner.lie;
    let mut claims = Heartbeat {
        nonce: asked.nonce,
        lane: Lane::Certified,
        epoch: inner.epoch,
        snapshot: Digest::of(&inner.snapshot),
        iat: clock::now().wall.seconds(),
    };
    match lie {
        Lie::AnotherGatesHeartbeat => claims.lane = Lane::Trial,
        Lie::HeartbeatGoesBack => claims.epoch = 3,
        Lie::NeverTheSnapshotInForce => claims.epoch += 1,
        Lie::SkewedHeartbeat => claims.iat += 61,
        Lie::Broken => return Err(StatusCode::INTERNAL_SERVER_ERROR),
        Lie::EndlessHeartbeat => return Ok("x".repeat(1 << 20).into_response()),
        Lie::Redirects => return Ok(axum::response::Redirect::to("/elsewhere").into_response()),
        _ => {}
    }
    let signer = key(if lie == Lie::AnotherKeysHeartbeat { 101 } else { 100 });
    let typ = if lie == Lie::AnotherTypesHeartbeat { "JWT" } else { HEARTBEAT_TYPE };
    let mut token = jwt::sign(typ, signer.key_id().as_str(), &claims, &signer).unwrap();
    let first = inner.first_heartbeat.get_or_insert_with(|| token.clone()).clone();
    match lie {
        Lie::Garbage => token = "not a token".to_owned(),
        Lie::OldHeartbeat => token = first,
        Lie::UnsignedHeartbeat => token = format!("{}.", token.rsplit_once('.').unwrap().0),
        _ => {}
    }
    Ok(token.into_response())
}

async fn given(State(inner): Shared, headers: HeaderMap) -> Result<Response, StatusCode> {
    knows(&headers)?;
    let mut inner = inner.lock().unwrap();
    inner.snapshots_given += 1;
    if inner.lie == Lie::EndlessSnapshot {
        return Ok(vec![b' '; 9 << 20].into_response());
    }
    Ok(inner.snapshot.clone().into_response())
}

async fn ack(
    State(inner): Shared,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    knows(&headers)?;
    assert_eq!((&body["gate"], &body["lane"]), (&json!("front"), &json!("certified")));
    let mut inner = inner.lock().unwrap();
    inner.acks.push(body["epoch"].as_u64().unwrap());
    Ok(Json(json!({ "epoch": body["epoch"] })))
}
