//! The partners: what they publish, receive, keep and do, each right or wrong in its own way.

mod access;
mod business;
mod caller;
mod client_fault;
mod fault;
mod front_fault;
mod hook;
mod hook_fault;
mod image;
mod jwt_fault;
mod keys;
mod kind;
mod lenient;
mod mood;
mod own_api;
mod receiver;
mod repository;
mod sender_fault;
mod tls_fault;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::{delete, get, post, put};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::Period;
use countersign_seal::{Digest, PublicKey};
use tokio::task::JoinHandle;

pub use access::AccessFault;
#[cfg(test)]
pub(crate) use business::clients;
pub use business::{Business, Counted};
pub use client_fault::ClientFault;
pub use fault::Fault;
pub use front_fault::FrontFault;
pub use hook_fault::HookFault;
pub use jwt_fault::JwtFault;
pub use kind::Kind;
pub(crate) use mood::mood;
pub use sender_fault::SenderFault;
pub use tls_fault::TlsFault;

use crate::front::{Plain, PlainPort};
use crate::manifests::manifest;
use crate::registration::CallerKey;
use crate::role::{app, send};
use crate::serve::Served;
use crate::tls::Flawed;
use crate::{Authority, Net, StartError, clock, entropy};
use business::Journal;
pub(crate) use caller::Caller;
pub(crate) use fault::Faults;
use keys::Keys;
pub(crate) use receiver::Received;
use repository::History;

/// How a partner is set up.
#[derive(Debug)]
pub struct PartnerConfig {
    /// Which one.
    pub kind: Kind,
    /// Where it listens.
    pub listener: TcpListener,
    /// Where it stands without TLS.
    pub(crate) plain: PlainPort,
    /// How it reaches the platform.
    pub net: Net,
    /// The tenants that it works with.
    pub tenants: Vec<Tenant>,
    /// With which keys events of the platform verify.
    pub event_keys: Vec<PublicKey>,
    /// How long old and new key both work.
    pub overlap: Period,
    /// Where its source is made; a folder of its own.
    pub source: PathBuf,
}

/// One tenant that a partner works with.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Which one.
    pub lane: Lane,
    /// Its address.
    pub url: String,
    /// Where tokens are asked for.
    pub token_endpoint: String,
    /// Whom assertions are made for there.
    pub audience: String,
    /// The token with which the partner pushes its own log.
    pub intake: String,
}

/// A running partner. It stops when it is dropped.
#[derive(Debug)]
pub struct Partner {
    inner: Arc<Inner>,
    served: Served,
    certificates: Flawed,
    _plain: Plain,
    source: PathBuf,
    api_token: String,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// What every handler sees.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) kind: Kind,
    pub(crate) faults: Faults,
    /// Held while a piece of work is done.
    working: tokio::sync::RwLock<()>,
    pub(crate) keys: Keys,
    /// How its webhooks are called.
    pub(crate) callers: Vec<Caller>,
    pub(crate) hooks: Vec<hook::Hook>,
    pub(crate) overlap: Period,
    pub(crate) api_token: Digest,
    received: Received,
    journal: Journal,
    tenants: Vec<Tenant>,
    http: reqwest::Client,
    ended_tenants: Mutex<BTreeSet<String>>,
    proofs: Mutex<BTreeMap<String, String>>,
    certifier: RwLock<Option<Arc<dyn Certifier>>>,
}

/// Whom a partner asks what it has to publish to prove that it controls its hosts.
#[async_trait::async_trait]
pub trait Certifier: Send + Sync + std::fmt::Debug {
    /// The lines to publish for an integration, if there are any.
    async fn proof(&self, integration: &str) -> Option<String>;
}

/// Whether a caller holds the secret of the partner's own API.
pub(crate) fn is_ours(inner: &Inner, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let given = given.and_then(|it| it.strip_prefix("Bearer "));
    given.is_some_and(|it| Digest::of(it.as_bytes()) == inner.api_token)
}

impl Partner {
    /// Starts a partner without a fault.
    pub fn start(config: PartnerConfig, authority: &Authority) -> Result<Self, StartError> {
        let api_token = entropy::token()?;
        let declared = manifest(config.kind)?;
        let inner = Arc::new(Inner {
            kind: config.kind,
            faults: Faults::default(),
            working: tokio::sync::RwLock::default(),
            keys: Keys::new(clock::now())?,
            callers: caller::callers(&declared)?,
            hooks: hook::hooks(&declared, &config.event_keys)?,
            overlap: config.overlap,
            api_token: Digest::of(api_token.as_bytes()),
            received: Received::default(),
            journal: Journal::default(),
            tenants: config.tenants,
            http: config.net.client(None)?,
            ended_tenants: Mutex::default(),
            proofs: Mutex::default(),
            certifier: RwLock::default(),
        });
        let hosts: Vec<String> = config.kind.hosts().iter().map(|it| (*it).to_owned()).collect();
        let router = routes(&inner, &config.net)?;
        let faults = inner.faults.clone();
        let plain = Plain::start(config.plain, faults.clone())?;
        let server = authority.server(&hosts)?;
        let served = Served::start_with(config.listener, server, router, faults)?;
        let certificates = Flawed::new(authority, &hosts, served.config())?;
        let source = config.source;
        if config.kind == Kind::Shiftly {
            repository::make(&source, &History::Clean)?;
            image::make(&image_of(&source))?;
        }
        let tasks = Mutex::default();
        Ok(Self { inner, served, certificates, _plain: plain, source, api_token, tasks })
    }

    /// Which one it is.
    pub fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.served.address()
    }

    /// The secret that opens its own API: the effects feed, rotation, offboarding, audit.
    pub fn api_token(&self) -> &str {
        &self.api_token
    }

    /// What verifies the calls of one of its webhooks.
    pub fn webhook_key(&self, webhook: &str) -> Option<CallerKey> {
        let mut callers = self.inner.callers.iter();
        Some(callers.find(|it| it.webhook == webhook)?.known.clone())
    }

    /// How its webhooks are called.
    pub(crate) fn callers(&self) -> &[Caller] {
        &self.inner.callers
    }

    /// The shared secret with which deliveries of a subscription verify, where they do so with one.
    pub fn hook_secret(&self, subscription: &str) -> Option<String> {
        let mut hooks = self.inner.hooks.iter();
        let hook = hooks.find(|it| it.subscription == subscription)?;
        hook.secret().map(str::to_owned)
    }

    /// Where its source is, where it has one.
    pub fn source(&self) -> Option<&Path> {
        (self.inner.kind == Kind::Shiftly).then_some(self.source.as_path())
    }

    /// Where its image is, where it has one: an OCI layout.
    pub fn image(&self) -> Option<PathBuf> {
        self.source().map(image_of)
    }

    /// What its receivers remember and its feed of effects shows.
    pub(crate) fn shared_received(&self) -> Received {
        self.inner.received.clone()
    }

    /// The faults that are switched on, as they change.
    pub(crate) fn shared_faults(&self) -> Faults {
        self.inner.faults.clone()
    }

    /// The faults that are switched on.
    pub fn faults(&self) -> BTreeSet<Fault> {
        self.inner.faults.all()
    }

    /// Has exactly these faults from now on. Those of its registration are the platform's to change.
    pub async fn set_faults(&self, faults: BTreeSet<Fault>) -> Result<(), StartError> {
        let before = self.inner.faults.all();
        // Nothing that was begun in the old way is written down after this.
        let all_work = self.inner.working.write().await;
        self.inner.faults.set(faults.clone());
        drop(all_work);
        self.served.present(self.certificates.of(&faults));
        if !faults.contains(&Fault::OldKeyStaysAlive) && before.contains(&Fault::OldKeyStaysAlive) {
            self.inner.keys.tidy();
        }
        let history = |it: &BTreeSet<Fault>| {
            [Fault::LiveKeyInSource, Fault::SecretInOldCommit].map(|fault| it.contains(&fault))
        };
        if self.inner.kind == Kind::Shiftly && history(&faults) != history(&before) {
            let key = || self.inner.keys.private_pem(clock::now()).unwrap_or_default();
            let kind = match history(&faults) {
                [true, _] => History::WithKey(key()),
                [false, true] => History::WithSecret,
                [false, false] => History::Clean,
            };
            repository::make(&self.source, &kind)?;
        }
        if faults.contains(&Fault::Down) {
            self.served.stop();
            return Ok(());
        }
        self.served.resume().await
    }

    /// Publishes a file below `/.well-known/countersign/`: how control of its hosts is proved.
    pub fn place_proof(&self, file: &str, text: &str) {
        let mut proofs = self.inner.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        if proofs.len() < PROOFS_MAX {
            proofs.insert(file.to_owned(), text.to_owned());
        }
    }

    /// From now on it asks this one what it has to publish there, unless it was placed.
    pub fn prove_to(&self, certifier: Arc<dyn Certifier>) {
        let mut known = self.inner.certifier.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some(certifier);
    }

    /// Does `n` ordinary pieces of work with one tenant, over real sockets, and says how they went.
    pub async fn business(&self, lane: Lane, n: u32) -> Business {
        business::work(&self.inner, lane, n).await
    }

    /// Asks one tenant once for a token with this scope and grant, or says why it was refused.
    pub async fn attempt(&self, lane: Lane, scope: &str, grant: &str) -> Result<(), String> {
        business::attempt(&self.inner, lane, scope, grant).await
    }

    /// Goes on working with one tenant until it is dropped: one piece after each pause.
    pub fn keep_busy(&self, lane: Lane, pause: Duration) {
        let inner = Arc::clone(&self.inner);
        let task = tokio::spawn(async move {
            let mut tick = tokio::time::interval(pause);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                // A partner that is down does no work either.
                if !inner.faults.has(Fault::Down) {
                    let _counted = business::work(&inner, lane, 1).await;
                }
            }
        });
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    /// Stops what [`Partner::keep_busy`] began.
    pub fn rest(&self) {
        for task in self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        self.rest();
    }
}

/// Beside its source.
fn image_of(source: &Path) -> PathBuf {
    source.with_extension("image")
}

fn routes(inner: &Arc<Inner>, net: &Net) -> Result<Router, StartError> {
    let router = Router::new()
        .route("/.well-known/jwks.json", get(own_api::jwks))
        .route("/.well-known/countersign/{file}", get(own_api::proof));
    let router = match inner.kind {
        Kind::Acme => router
            .route("/id", post(receiver::receive))
            .route("/effects", get(receiver::effects))
            .route("/canary", get(receiver::object))
            .merge(app::router(&inner.faults, net, "app.acme.example")?)
            .merge(send::router(inner.callers.first(), &inner.faults, net)?),
        Kind::Meridian => router
            .route("/hooks", post(receiver::receive))
            .route("/hooks/key", put(receiver::next_key))
            .route("/hooks/{name}", post(receiver::receive))
            .route("/hooks/{name}/key", put(receiver::next_key))
            .route("/effects", get(receiver::effects)),
        Kind::Shiftly => router
            .route("/events", post(receiver::receive))
            .route("/effects", get(receiver::effects)),
        Kind::Payrun => router
            .route("/v2/credentials/rotate", post(own_api::rotate))
            .route("/v2/tenants/{tenant}/credentials", delete(own_api::offboard))
            .route("/v2/tenants/{tenant}", get(own_api::tenant))
            .route("/v2/audit", get(own_api::audit)),
        Kind::Northwind => router,
    };
    let mood = axum::middleware::from_fn_with_state(inner.faults.clone(), mood);
    Ok(router
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(mood)
        .with_state(Arc::clone(inner)))
}

const BODY_BYTES_MAX: usize = 256 * 1024;
const PROOFS_MAX: usize = 100;
