//! An issuer of tokens that we play: its metadata, its keys, and how often they are asked for.
//!
//! It is the same for as long as the harness runs, and longer where a folder keeps its keys: a
//! resource server can be told once to trust it.
//!
//! Source: RFC 8414; OpenID Connect Discovery 1.0; RFC 7517.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use serde_json::{Value, json};

use super::keys::{Alg, KeyPair};
use super::{Booth, Harness, Reply, Seen};

/// The issuers of a harness, by name.
#[derive(Debug, Default)]
pub(super) struct Issuers {
    open: Mutex<BTreeMap<String, Arc<Issuer>>>,
    folder: OnceLock<PathBuf>,
}

/// An issuer that we play.
#[derive(Debug)]
pub struct Issuer {
    booth: Booth,
    name: String,
    folder: Option<PathBuf>,
    published: Arc<Published>,
    own: Mutex<BTreeMap<Alg, Arc<KeyPair>>>,
}

/// What its key set shows, and how often it was read.
#[derive(Debug, Default)]
struct Published {
    keys: RwLock<Vec<Value>>,
    max_age_seconds: AtomicU64,
    reads: AtomicU64,
}

impl Harness {
    /// Keeps the keys of issuers in this folder, and opens those that it holds already.
    pub fn keep_issuers(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let _set_before = self.issuers.folder.set(folder.to_owned());
        for entry in std::fs::read_dir(folder)?.take(FILES_MAX) {
            let file = entry?.file_name();
            let name = file.to_str().and_then(|it| it.strip_suffix(SUFFIX));
            if let Some((name, _)) = name.and_then(|it| it.rsplit_once('.')) {
                let _opened = self.issuer(name);
            }
        }
        Ok(())
    }

    /// The issuer of this name, `https://HOST/issuer-NAME`; it stays open until the harness ends.
    ///
    /// None where so many are open that no more are opened.
    pub fn issuer(&self, name: &str) -> Option<Arc<Issuer>> {
        let mut open = self.issuers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issuer) = open.get(name) {
            return Some(Arc::clone(issuer));
        }
        if ISSUERS_MAX <= open.len() {
            return None;
        }
        let published = Arc::new(Published::default());
        published.max_age_seconds.store(MAX_AGE_SECONDS, Ordering::Relaxed);
        let (url, shown) = (format!("{}/issuer-{name}", self.url()), Arc::clone(&published));
        let booth =
            self.open(&format!("issuer-{name}"), move |seen: &Seen| answer(&url, &shown, seen));
        let issuer = Arc::new(Issuer {
            booth,
            name: name.to_owned(),
            folder: self.issuers.folder.get().cloned(),
            published,
            own: Mutex::default(),
        });
        issuer.load();
        open.insert(name.to_owned(), Arc::clone(&issuer));
        Some(issuer)
    }
}

impl Issuer {
    /// What its tokens say that they are from.
    pub fn url(&self) -> &str {
        self.booth.url()
    }

    /// Its own key for an algorithm, published; made where there is none yet. It takes its time.
    pub fn key(&self, alg: Alg) -> Option<Arc<KeyPair>> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = own.get(&alg) {
            return Some(Arc::clone(pair));
        }
        let pair = Arc::new(KeyPair::generate(alg)?);
        self.keep(&pair);
        self.publish(&pair);
        own.insert(alg, Arc::clone(&pair));
        Some(pair)
    }

    /// Shows one more key.
    pub fn publish(&self, pair: &KeyPair) {
        let mut keys = self.published.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() < KEYS_MAX {
            keys.push(pair.jwk());
        }
    }

    /// Shows the key of this name no more.
    pub fn withdraw(&self, kid: &str) {
        let mut keys = self.published.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|it| it["kid"] != kid);
    }

    /// How often its key set was read.
    pub fn reads(&self) -> u64 {
        self.published.reads.load(Ordering::Relaxed)
    }

    /// For how long its key set says that it may be kept.
    pub fn set_max_age(&self, seconds: u64) {
        self.published.max_age_seconds.store(seconds, Ordering::Relaxed);
    }

    fn file(&self, alg: Alg) -> Option<PathBuf> {
        let file = format!("{}.{}{SUFFIX}", self.name, alg.word().to_lowercase());
        Some(self.folder.as_ref()?.join(file))
    }

    fn load(&self) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        for alg in Alg::ALL {
            let bytes = self.file(alg).and_then(|it| std::fs::read(it).ok());
            if let Some(pair) = bytes.and_then(|it| KeyPair::from_pkcs8(alg, &it)) {
                self.publish(&pair);
                own.insert(alg, Arc::new(pair));
            }
        }
    }

    fn keep(&self, pair: &KeyPair) {
        let (Some(file), Some(bytes)) = (self.file(pair.alg()), pair.to_pkcs8()) else { return };
        if let Err(error) = write_private(&file, &bytes) {
            tracing::warn!(%error, file = %file.display(), "a key of the harness is not kept");
        }
    }
}

/// Writes a file that only its owner may read.
fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(bytes)
}

fn answer(url: &str, published: &Published, seen: &Seen) -> Reply {
    match seen.path.as_str() {
        "/.well-known/oauth-authorization-server" | "/.well-known/openid-configuration" => {
            Reply::json(&metadata(url))
        }
        "/jwks" => {
            published.reads.fetch_add(1, Ordering::Relaxed);
            let keys = published.keys.read().unwrap_or_else(PoisonError::into_inner);
            let seconds = published.max_age_seconds.load(Ordering::Relaxed);
            Reply::json(&json!({ "keys": *keys }))
                .header("cache-control", &format!("public, max-age={seconds}"))
        }
        _ => Reply::status(404),
    }
}

fn metadata(url: &str) -> Value {
    let algs: Vec<&str> = Alg::ALL.iter().map(|it| it.word()).collect();
    json!({
        "issuer": url,
        "jwks_uri": format!("{url}/jwks"),
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algs,
    })
}

const SUFFIX: &str = ".pk8";
const MAX_AGE_SECONDS: u64 = 300;
const ISSUERS_MAX: usize = 2_000;
const FILES_MAX: usize = 10_000;
const KEYS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{Certificates, HarnessConfig};

    fn harness() -> Arc<Harness> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = "https://probe.example.com".to_owned();
        let certificates = Certificates::default();
        Harness::start(HarnessConfig { url, listener, certificates }).unwrap()
    }

    #[tokio::test]
    async fn an_issuer_is_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let first = harness();
        first.keep_issuers(folder.path()).unwrap();
        let kids: Vec<String> = Alg::ALL
            .iter()
            .map(|it| first.issuer("acme").unwrap().key(*it).unwrap().kid().to_owned())
            .collect();
        drop(first);
        let second = harness();
        second.keep_issuers(folder.path()).unwrap();
        let open = second.issuers.open.lock().unwrap();
        let shown = open["acme"].published.keys.read().unwrap().clone();
        for kid in &kids {
            assert!(shown.iter().any(|it| it["kid"] == kid.as_str()), "{kid}");
        }
        assert_eq!(shown.len(), kids.len());
    }

    #[tokio::test]
    async fn keys_come_and_go() {
        let harness = harness();
        let issuer = harness.issuer("acme").unwrap();
        let own = issuer.key(Alg::EdDsa).unwrap();
        let more = KeyPair::generate(Alg::EdDsa).unwrap();
        let count = || issuer.published.keys.read().unwrap().len();
        issuer.publish(&more);
        assert_eq!(count(), 2);
        issuer.withdraw(more.kid());
        assert_eq!(count(), 1);
        assert_eq!(issuer.key(Alg::EdDsa).unwrap().kid(), own.kid(), "it is made once");
        assert_eq!(issuer.url(), "https://probe.example.com/issuer-acme");
    }
}
