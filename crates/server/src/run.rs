//! Starting and ending.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_model::enforce::snapshot::Lane;
use countersign_model::event::What;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::api;
use crate::app::{App, Metrics};
use crate::auth::{Auth, person_id};
use crate::book::{Book, BookConfig, BookError, Draft};
use crate::busy::Busy;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::keys::{Keys, KeysError};
use crate::loops;
use crate::world::World;

/// The server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The book cannot be opened.
    #[error("the book cannot be opened")]
    Book(#[from] BookError),
    /// The settings cannot be used.
    #[error("the settings cannot be used")]
    Config(#[from] ConfigError),
    /// The keys cannot be had.
    #[error("the server's keys cannot be had")]
    Keys(#[from] KeysError),
    /// It cannot listen.
    #[error("cannot listen on {listen}")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// What it works with.
    pub app: Arc<App>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    loops: JoinSet<()>,
}

/// How long open requests may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// Opens everything, with the world given.
pub async fn open(
    config: Config,
    world: Arc<dyn World>,
    clock: Clock,
) -> Result<Arc<App>, StartError> {
    config.check()?;
    let keys = Arc::new(Keys::open(&config.data.join("keys"))?);
    let book_config = BookConfig {
        origin: config.issuer.host_str().unwrap_or("countersign").to_owned(),
        environment: config.environment,
        lease: config.lease,
    };
    let path = config.data.join("countersign.sqlite");
    let book = Book::open(&path, Arc::clone(&keys), book_config, clock.now()).await?;
    let auth = Auth::new(&config, &keys);
    let app = App {
        config,
        keys,
        auth,
        book,
        world,
        clock,
        acks: watch::Sender::new(BTreeMap::new()),
        metrics: Metrics::default(),
        busy: Busy::default(),
        runs: Mutex::default(),
        figures: tokio::sync::Mutex::default(),
    };
    enroll(&app).await?;
    Ok(Arc::new(app))
}

/// Writes down which keys and gates the settings name now.
async fn enroll(app: &App) -> Result<(), BookError> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let mut draft = Draft::default();
    let mut changed = false;
    let wanted: Vec<_> = app
        .config
        .person
        .iter()
        .filter_map(|it| Some((person_id(&app.keys, &it.id), it.key?)))
        .collect();
    for known in &writer.registry().approvers {
        if !wanted.iter().any(|(person, key)| *person == known.person && *key == known.key) {
            draft.event(now, None, What::KeyRevoked { key: known.key });
            changed = true;
        }
    }
    for (person, key) in wanted {
        let same = |it: &countersign_model::enforce::snapshot::Approver| {
            it.person == person && it.key == key
        };
        if !writer.registry().approvers.iter().any(same) {
            draft.event(now, None, What::KeyEnrolled { person, key });
            changed = true;
        }
    }
    let gates = app.config.gate.iter().filter(|it| it.lane == Lane::Certified);
    for gate in gates {
        if !writer.registry().gates.contains(&gate.name) {
            draft.event(now, None, What::GateEnrolled { gate: gate.name.clone() });
            changed = true;
        }
    }
    if changed {
        writer.commit(draft, now).await?;
    }
    Ok(())
}

/// Starts the server over a world.
pub async fn run(
    config: Config,
    world: Arc<dyn World>,
    clock: Clock,
) -> Result<Running, StartError> {
    let listen = config.listen;
    let app = open(config, world, clock).await?;
    let wrong = |source| StartError::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(wrong)?;
    let addr = listener.local_addr().map_err(wrong)?;
    let (stop, stopped) = watch::channel(false);
    let loops = loops::start(&app, &stopped);
    let router = api::router(Arc::clone(&app));
    let serving = tokio::spawn(async move {
        let mut stopped = stopped;
        let ended = async move {
            drop(stopped.wait_for(|it| *it).await);
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(ended).await {
            tracing::error!(%error, "the server ended");
        }
    });
    tracing::info!(%addr, "listening");
    Ok(Running { addr, app, stop, serving, loops })
}

impl Running {
    /// Ends it: no new requests, open ones are finished within ten seconds.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let loops = async { while self.loops.join_next().await.is_some() {} };
        let ended = async { tokio::join!(loops, async { drop((&mut self.serving).await) }) };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            self.serving.abort();
            tracing::warn!("open requests were cut off");
        }
    }
}
