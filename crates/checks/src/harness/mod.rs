//! Our own side of a check: an https server that partners call while they are looked at.
//!
//! It plays the authorization server, the key set or the callback that a check needs, well-behaved or
//! hostile. Each check opens a booth: a path of its own, what it answers, and what was asked there.
//! Everything is bounded: connections, heads, bodies, time, and what is kept.

mod booth;
mod hello;
pub mod issuer;
pub mod keys;
mod listen;
mod names;
mod old_tls;
mod serve;
pub mod transmitter;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use countersign_model::time::Timestamp;
use tokio::task::JoinHandle;

use booth::Stand;
pub use booth::{Booth, Knock, Reply, Script, Seen};
pub use names::{Certificates, Unnamed, WrongName};
pub use old_tls::Reaction;
use transmitter::Transmitters;

/// How the server is set up.
pub struct HarnessConfig {
    /// Its origin as partners reach it, without a slash at the end: `https://probe.example.com`.
    pub url: String,
    /// Where it listens.
    pub listener: TcpListener,
    /// What it shows, by the name that is asked for.
    pub certificates: Certificates,
}

impl std::fmt::Debug for HarnessConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "HarnessConfig({})", self.url)
    }
}

/// It could not be started.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// The port cannot be used.
    #[error("the harness cannot listen")]
    Listen(#[from] std::io::Error),
    /// What is set up for a wrong name is of no use.
    #[error("the harness cannot show `{name}`")]
    Name {
        /// The name: `expired`.
        name: &'static str,
        /// Why.
        source: Box<Self>,
    },
    /// A file is not what it should be.
    #[error("the harness' {0} is not PEM that can be read")]
    Pem(&'static str),
    /// The certificate and its key do not fit.
    #[error("the harness' certificate cannot be used")]
    Tls(#[from] rustls::Error),
}

/// The running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Harness {
    url: String,
    certificates: Certificates,
    inner: Arc<Inner>,
    issuers: issuer::Issuers,
    transmitters: Transmitters,
    task: JoinHandle<()>,
}

/// What connections share.
#[derive(Debug, Default)]
pub(crate) struct Inner {
    stands: RwLock<BTreeMap<String, Arc<Stand>>>,
    knocks: Mutex<Vec<Knock>>,
    /// The booths that were asked for without TLS.
    clear: Mutex<Vec<String>>,
    pub(super) heard: tokio::sync::Notify,
}

impl Harness {
    /// Starts to answer. Needs a runtime of tokio.
    pub fn start(config: HarnessConfig) -> Result<Arc<Self>, HarnessError> {
        config.listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(config.listener)?;
        let inner = Arc::new(Inner::default());
        let shown = (config.certificates.clone(), host_of(&config.url).to_owned());
        let task = tokio::spawn(serve::serve(listener, shown, Arc::clone(&inner)));
        Ok(Self::with(config.url, config.certificates, (inner, task)))
    }

    fn with(
        url: String,
        certificates: Certificates,
        (inner, task): (Arc<Inner>, JoinHandle<()>),
    ) -> Arc<Self> {
        let (issuers, transmitters) = (issuer::Issuers::default(), Transmitters::default());
        Arc::new(Self { url, certificates, inner, issuers, transmitters, task })
    }

    /// Its origin as partners reach it, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its host, without a port.
    pub fn host(&self) -> &str {
        host_of(&self.url)
    }

    /// The origin under which something is wrong on purpose, where that is so at this moment.
    pub fn named(&self, name: WrongName, now: Timestamp) -> Result<String, Unnamed> {
        self.certificates.fit(name, self.host(), now)?;
        Ok(self.url.replacen(self.host(), &self.host_named(name), 1))
    }

    /// The host of that name: `expired.probe.example.com`.
    pub fn host_named(&self, name: WrongName) -> String {
        format!("{}.{}", name.word(), self.host())
    }

    /// What became of those who were answered in TLS 1.0, from so many on.
    pub fn old_tls(&self, from: usize) -> Vec<Reaction> {
        let knocks = self.knocks(&self.host_named(WrongName::OldTls));
        knocks.iter().filter_map(|it| it.old_tls).skip(from).collect()
    }

    /// How many requests without TLS asked for this booth.
    pub fn in_the_clear(&self, booth: &str) -> u64 {
        let clear = self.inner.clear.lock().unwrap_or_else(PoisonError::into_inner);
        clear.iter().filter(|it| *it == booth).count() as u64
    }

    /// Waits until what was heard fits, or the time is over; says whether it fits.
    pub async fn wait(&self, limit: Duration, fits: impl Fn() -> bool) -> bool {
        let waiting = async {
            loop {
                let heard = self.inner.heard.notified();
                tokio::pin!(heard);
                // From here on nothing is missed.
                heard.as_mut().enable();
                if fits() {
                    return;
                }
                heard.await;
            }
        };
        tokio::time::timeout(limit, waiting).await.is_ok()
    }

    /// Opens a booth under `/NAME/`. Another of the same name is closed by that.
    ///
    /// The well-known files of RFC 8414 (`/.well-known/WORD/NAME`) are answered by the booth, too.
    pub fn open(&self, name: &str, script: impl Script + 'static) -> Booth {
        let stand = Arc::new(Stand::new(script));
        let mut stands = self.inner.stands.write().unwrap_or_else(PoisonError::into_inner);
        stands.insert(name.to_owned(), Arc::clone(&stand));
        Booth {
            url: format!("{}/{name}", self.url),
            name: name.to_owned(),
            stand,
            inner: Arc::clone(&self.inner),
        }
    }

    /// Every TLS connection that was begun with this name, whether it came to a session or not.
    pub fn knocks(&self, name: &str) -> Vec<Knock> {
        let knocks = self.inner.knocks.lock().unwrap_or_else(PoisonError::into_inner);
        knocks.iter().filter(|it| it.name.as_deref() == Some(name)).cloned().collect()
    }
}

/// Reads the first message of a client and answers it in TLS 1.0; reads it as a reaction, too.
pub(crate) fn greet(bytes: &[u8]) {
    if let Some(offered) = hello::read(bytes) {
        assert!(offered.suites.len() * 2 < bytes.len(), "every suite stood there");
        let name = offered.name.as_ref().map_or(0, String::len);
        assert!(name < bytes.len(), "the name stood there");
        let answer = old_tls::answer(&offered, &[vec![0; 9]], old_tls::KeyKind::Ec, [5; 32]);
        assert!(answer.starts_with(&[22, 3, 1]), "it begins with a handshake in TLS 1.0");
    }
    if let Some((kind, body)) = bytes.split_first() {
        let _reaction = old_tls::reaction(*kind, body.get(4..).unwrap_or_default());
    }
}

fn host_of(url: &str) -> &str {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    rest.split([':', '/']).next().unwrap_or(rest)
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Inner {
    /// The stand that a path leads to, and the rest of the path.
    pub(crate) fn find(&self, path: &str) -> Option<(Arc<Stand>, String)> {
        let bare = path.strip_prefix('/')?;
        let (name, rest) = if let Some(known) = bare.strip_prefix(".well-known/") {
            let (word, name) = known.split_once('/')?;
            let (name, rest) = name.split_once('/').unwrap_or((name, ""));
            let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
            (name, format!("/.well-known/{word}{rest}"))
        } else {
            let (name, rest) = bare.split_once('/').unwrap_or((bare, ""));
            (name, format!("/{rest}"))
        };
        let stands = self.stands.read().unwrap_or_else(PoisonError::into_inner);
        Some((Arc::clone(stands.get(name)?), rest))
    }

    /// Writes down the booth that a request line without TLS names.
    pub(crate) fn clear(&self, head: &[u8]) {
        let line = head.split(|it| *it == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let path = line.split(' ').nth(1).and_then(|it| it.strip_prefix('/'));
        let booth = path.and_then(|it| it.split(['/', '?']).next()).unwrap_or_default();
        let mut clear = self.clear.lock().unwrap_or_else(PoisonError::into_inner);
        if !booth.is_empty() && clear.len() < KNOCKS_MAX {
            clear.push(booth.to_owned());
        }
        drop(clear);
        self.heard.notify_waiters();
    }

    fn knocked(&self, knock: Knock) {
        let mut knocks = self.knocks.lock().unwrap_or_else(PoisonError::into_inner);
        if KNOCKS_MAX <= knocks.len() {
            knocks.remove(0);
        }
        knocks.push(knock);
        drop(knocks);
        self.heard.notify_waiters();
    }
}

const KNOCKS_MAX: usize = 10_000;
/// How long a head, a body or an answer may take.
pub(super) const STEP_MAX: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
