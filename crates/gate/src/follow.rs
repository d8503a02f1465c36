//! Keeps a gate up with its server: a sign of life, the snapshot when it changed, an acknowledgement.
//!
//! Nothing here can make a gate admit: what arrives is checked by the gate, and what does not
//! arrive makes it stale.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_model::enforce::snapshot::Lane;
use reqwest::{Client, RequestBuilder, Url};

use crate::clock::{self, Moment};
use crate::entropy::nonce;
use crate::gate::{Gate, Heard};
use crate::heartbeat::HeartbeatError;
use crate::snapshot::SnapshotError;

/// The longest a question to the server may take.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// The longest pause after a failure: well inside any lease.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How often an epoch that did not change is acknowledged again, for a server that was restarted.
const ACK_EVERY: Duration = Duration::from_secs(2);
/// How often a turn asks for a snapshot.
const SNAPSHOTS_MAX: usize = 3;
const HEARTBEAT_BYTES_MAX: usize = 8 * 1024;
const SNAPSHOT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How a server is followed.
#[derive(Debug, Clone)]
pub struct FollowConfig {
    /// Where the server is: `https://countersign.example/`.
    pub server: Url,
    /// The gate's name, as the server knows it.
    pub gate: String,
    /// The gate's bearer token.
    pub token: Token,
    /// How often the server is asked.
    pub every: Duration,
    /// Who speaks HTTP: with the trust anchors and limits of the caller's choice.
    pub client: Client,
}

/// A bearer token, never shown.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Holds a token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// One turn brought no sign of life.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The address cannot be built upon.
    #[error("the server's address cannot be built upon")]
    Address,
    /// The snapshot that the server gives is never the one that it says is in force.
    #[error("the server speaks of epoch {epoch} and does not give its snapshot")]
    Behind {
        /// The epoch that it speaks of.
        epoch: u64,
    },
    /// The sign of life is not believed.
    #[error("the server's heartbeat is not believed")]
    Heartbeat(#[source] HeartbeatError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoEntropy,
    /// The server says no.
    #[error("the server answers {status} for the {what}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The status.
        status: u16,
    },
    /// The snapshot is refused; the one before stays.
    #[error("the server's snapshot is refused")]
    Snapshot(#[source] SnapshotError),
    /// The answer is larger than its limit.
    #[error("the server's {0} is larger than its limit")]
    TooLarge(&'static str),
    /// The server cannot be reached.
    #[error("the server cannot be asked for the {what}")]
    Unreachable {
        /// What was asked for.
        what: &'static str,
        /// Why.
        source: reqwest::Error,
    },
}

/// Follows until `stop` ends.
///
/// A failure is written down once, when it begins, and its end once; in between the gate grows
/// stale by itself.
pub async fn follow(gate: Arc<Gate>, config: FollowConfig, stop: impl Future<Output = ()>) {
    let every = config.every.max(Duration::from_millis(10));
    let mut follower = Follower::new(gate, config);
    let mut failing = false;
    let mut pause = every;
    tokio::pin!(stop);
    loop {
        let turn = tokio::select! {
            () = &mut stop => return,
            it = follower.turn() => it,
        };
        match turn {
            Ok(epoch) => {
                if failing {
                    tracing::info!(epoch, "the gate hears its server again");
                }
                failing = false;
                pause = every;
            }
            Err(error) => {
                if !failing {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the gate does not hear its server");
                }
                failing = true;
                pause = (pause * 2).min(PAUSE_MAX.max(every));
            }
        }
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One gate, and how far it acknowledged.
#[derive(Debug)]
pub struct Follower {
    gate: Arc<Gate>,
    config: FollowConfig,
    clock: fn() -> Moment,
    acked: Option<(u64, Instant)>,
}

impl Follower {
    /// Asks nothing yet.
    pub fn new(gate: Arc<Gate>, config: FollowConfig) -> Self {
        Self { gate, config, clock: clock::now, acked: None }
    }

    /// With another clock than the machine's.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> Moment) -> Self {
        Self { clock, ..self }
    }

    /// Asks once: the sign of life, the snapshot if it changed, and acknowledges. The epoch in force.
    pub async fn turn(&mut self) -> Result<u64, FollowError> {
        let mut behind = None;
        // Each change in the middle of a turn costs one more question.
        for _ in 0..SNAPSHOTS_MAX {
            behind = match self.heartbeat().await? {
                Heard::Current => None,
                Heard::Behind { epoch } => Some(epoch),
            };
            if behind.is_none() {
                break;
            }
            self.snapshot().await?;
        }
        let epoch = self.gate.epoch();
        let now = (self.clock)().steady;
        let again = |(acked, at): (u64, Instant)| acked != epoch || at + ACK_EVERY <= now;
        if self.acked.is_none_or(again) {
            self.acknowledge(epoch).await?;
            self.acked = Some((epoch, now));
        }
        // What is in force here is said all the same: a withdrawal waits for nothing else.
        behind.map_or(Ok(epoch), |epoch| Err(FollowError::Behind { epoch }))
    }

    async fn heartbeat(&self) -> Result<Heard, FollowError> {
        let nonce = nonce().ok_or(FollowError::NoEntropy)?;
        let what = "heartbeat";
        let url = self.url("v1/gate/heartbeat", &[("lane", self.lane()), ("nonce", &nonce)])?;
        let asked = (self.clock)();
        let token = self.get(url, what, HEARTBEAT_BYTES_MAX).await?;
        let token = String::from_utf8_lossy(&token);
        self.gate.heartbeat(token.trim(), &nonce, asked).map_err(FollowError::Heartbeat)
    }

    async fn snapshot(&self) -> Result<(), FollowError> {
        let url = self.url("v1/gate/snapshot", &[("lane", self.lane())])?;
        let envelope = self.get(url, "snapshot", SNAPSHOT_BYTES_MAX).await?;
        let snapshot = self.gate.offer(&envelope).map_err(FollowError::Snapshot)?;
        for (integration, error) in snapshot.left_out() {
            let error = error as &dyn std::error::Error;
            tracing::warn!(%integration, error, "left out of the snapshot, and so denied");
        }
        tracing::debug!(epoch = snapshot.epoch(), "snapshot in force");
        Ok(())
    }

    async fn acknowledge(&self, epoch: u64) -> Result<(), FollowError> {
        let url = self.url("v1/gate/acks", &[])?;
        let body = serde_json::json!({
            "gate": self.config.gate, "lane": self.lane(), "epoch": epoch,
        });
        self.send(self.config.client.post(url).json(&body), "acknowledgement", HEARTBEAT_BYTES_MAX)
            .await
            .map(drop)
    }

    fn lane(&self) -> &'static str {
        match self.gate.lane() {
            Lane::Certified => "certified",
            Lane::Trial => "trial",
        }
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, FollowError> {
        let base = self.config.server.as_str().trim_end_matches('/');
        let url = format!("{base}/{path}");
        Url::parse_with_params(&url, query).map_err(|_| FollowError::Address)
    }

    async fn get(&self, url: Url, what: &'static str, most: usize) -> Result<Vec<u8>, FollowError> {
        self.send(self.config.client.get(url), what, most).await
    }

    async fn send(
        &self,
        request: RequestBuilder,
        what: &'static str,
        most: usize,
    ) -> Result<Vec<u8>, FollowError> {
        // The address of a failed request holds a nonce, and nobody needs it.
        let unreachable =
            |it: reqwest::Error| FollowError::Unreachable { what, source: it.without_url() };
        let request = request.timeout(WAIT_MAX).bearer_auth(&self.config.token.0);
        let mut response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(FollowError::Refused { what, status: response.status().as_u16() });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if most < body.len() + chunk.len() {
                return Err(FollowError::TooLarge(what));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}
