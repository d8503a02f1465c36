//! What every request works with.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_checks::progress::Progress;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::id::{
    AssessmentId, CertificateId, DecisionId, DrillId, IntegrationId, PlanId, RevocationId, WaiverId,
};
use countersign_model::registry::{Record, Registry};
use countersign_model::time::Timestamp;
use tokio::sync::watch;

use crate::auth::Auth;
use crate::book::Book;
use crate::busy::Busy;
use crate::clock::{Clock, Stopwatch};
use crate::config::Config;
use crate::entropy::random;
use crate::keys::Keys;
use crate::problem::Problem;
use crate::steps::population::Figures;
use crate::world::World;

/// What every request works with.
#[derive(Debug)]
pub struct App {
    /// The settings.
    pub config: Config,
    /// The server's own keys.
    pub keys: Arc<Keys>,
    /// Who may call.
    pub auth: Auth,
    /// The single writer.
    pub book: Book,
    /// Everything outside.
    pub world: Arc<dyn World>,
    /// The time.
    pub clock: Clock,
    /// The epoch that each gate says it answers from.
    pub acks: watch::Sender<BTreeMap<String, u64>>,
    /// Counters.
    pub metrics: Metrics,
    /// What is being worked on now.
    pub busy: Busy,
    /// How far the newest run of each integration has come, since the start.
    pub runs: Mutex<BTreeMap<IntegrationId, Arc<Progress>>>,
    /// The figures of production that were told last.
    pub figures: tokio::sync::Mutex<Option<Figures>>,
}

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Requests served.
    pub requests: AtomicU64,
    /// Requests refused or failed.
    pub refused: AtomicU64,
    /// Heartbeats given.
    pub heartbeats: AtomicU64,
}

impl Metrics {
    /// Counts one.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// How far one gate has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateAck {
    /// Its name.
    pub gate: String,
    /// Milliseconds until it answered from the epoch; none when it did not in time.
    pub ms: Option<u64>,
}

impl App {
    /// Waits until the gates of a lane answer from an epoch, at most as long as `wait`.
    pub async fn wait_for_gates(
        &self,
        lane: Lane,
        epoch: u64,
        wait: Duration,
        watch: Stopwatch,
    ) -> Vec<GateAck> {
        let mut gates: Vec<GateAck> = self
            .config
            .gate
            .iter()
            .filter(|it| it.lane == lane)
            .map(|it| GateAck { gate: it.name.clone(), ms: None })
            .collect();
        let mut acks = self.acks.subscribe();
        let waiting = async {
            loop {
                let seen = acks.borrow_and_update().clone();
                for gate in gates.iter_mut().filter(|it| it.ms.is_none()) {
                    if seen.get(&gate.gate).is_some_and(|it| epoch <= *it) {
                        gate.ms = Some(watch.ms());
                    }
                }
                if gates.iter().all(|it| it.ms.is_some()) || acks.changed().await.is_err() {
                    return;
                }
            }
        };
        // What has not answered by then is shown as such.
        drop(tokio::time::timeout(wait, waiting).await);
        gates
    }
}

/// An integration by its name or id, or 404.
pub(crate) fn find<'a>(registry: &'a Registry, name: &str) -> Result<&'a Record, Problem> {
    registry.find(name).ok_or_else(|| Problem::unknown("such integration"))
}

macro_rules! fresh {
    ($($name:ident -> $id:ident;)*) => {$(
        /// A new id.
        pub(crate) fn $name(at: Timestamp) -> Result<$id, Problem> {
            Ok($id::new(at, random::<10>().map_err(|it| Problem::broken(&it))?))
        }
    )*};
}

fresh! {
    new_assessment -> AssessmentId;
    new_certificate -> CertificateId;
    new_decision -> DecisionId;
    new_drill -> DrillId;
    new_integration -> IntegrationId;
    new_plan -> PlanId;
    new_revocation -> RevocationId;
    new_waiver -> WaiverId;
}
