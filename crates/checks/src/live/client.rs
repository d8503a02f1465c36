//! The way to the partner: only hosts that the manifest names, only as it allows.

mod raw;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use countersign_model::check::transcript::FailureKind;
use countersign_model::declare::Manifest;
use countersign_model::declare::hours::Hours;
use countersign_model::declare::manifest::{Environment, HostProof, Resource};
use countersign_model::time::Timestamp;
use http_body_util::Full;
use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::Instant;
use url::Url;

pub use raw::{Located, Looked};

use super::ask::{Ask, Received};
use super::dns::Dns;
use super::http::{Bounds, Way, exchange};
use super::limit::{Lanes, retry_after};
use super::proof::Proofs;
use super::resolve::Resolver;
use crate::platform::Reach;

/// How often a request is repeated that a host asks to repeat later.
const REPEATS_MAX: u32 = 2;

/// How names are found and who may be attacked. All but the last are for tests alone.
#[derive(Debug, Clone, Default)]
pub struct TalkConfig {
    /// Names with an address of our own choice: `host`, or `host:port` for that port alone.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// Certificates (PEM) that vouch for those names, and for no other.
    pub ca: Option<Vec<u8>>,
    /// Private networks that are allowed all the same.
    pub allow_networks: Vec<IpNet>,
    /// The name server that is asked, in place of those of this machine.
    pub dns: Option<SocketAddr>,
    /// Hosts whose control is taken for proved.
    pub proved: BTreeSet<String>,
    /// By whom control of hosts is proved: only proved ones get hostile requests.
    pub proofs: Option<Proofs>,
}

/// The settings are of no use.
#[derive(Debug, thiserror::Error)]
pub enum TalkConfigError {
    /// The certificates cannot be read.
    #[error("`talk.ca` holds no certificate that can be read")]
    Certificates,
    /// Settings for tests stand beside a manifest for production.
    #[error("`talk.{0}` is for tests and is refused for production")]
    TestOnly(&'static str),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// The way to the partner's hosts.
#[derive(Debug)]
pub struct Client {
    pub(super) integration: String,
    pub(super) hosts: BTreeSet<String>,
    /// Of each host: whether the partner has proved its control, or what it has to do.
    standing: RwLock<BTreeMap<String, Result<(), String>>>,
    pub(super) proofs: Option<Proofs>,
    pub(super) rules: Option<Rules>,
    pub(super) dns: Dns,
    resolver: Resolver,
    public: Arc<ClientConfig>,
    public_roots: Arc<RootCertStore>,
    mapped: Arc<ClientConfig>,
    mapped_roots: Arc<RootCertStore>,
    lanes: Lanes,
    own: Option<(Reach, Lanes)>,
}

/// Whose host a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Partner,
    Platform,
}

/// The rules of engagement.
#[derive(Debug)]
pub(super) struct Rules {
    hours: Option<Hours>,
    /// How control of a host is proved.
    pub(super) proof: HostProof,
}

impl Client {
    /// The way to the hosts of this manifest.
    pub fn new(config: &TalkConfig, manifest: &Manifest) -> Result<Self, TalkConfigError> {
        if manifest.environment == Environment::Production {
            let test_only = [
                ("resolve", !config.resolve.is_empty()),
                ("ca", config.ca.is_some()),
                ("allow_networks", !config.allow_networks.is_empty()),
                ("dns", config.dns.is_some()),
                ("proved", !config.proved.is_empty()),
            ];
            if let Some((name, _)) = test_only.into_iter().find(|(_, is_set)| *is_set) {
                return Err(TalkConfigError::TestOnly(name));
            }
        }
        let public = public_roots();
        let mapped = match &config.ca {
            Some(pem) => certificates(pem)?,
            None => public.clone(),
        };
        let rules = manifest.rules_of_engagement.as_ref();
        let proved = config.proved.iter().map(|it| (it.to_lowercase(), Ok(())));
        Ok(Self {
            integration: manifest.integration.id.to_string(),
            hosts: hosts_of(manifest),
            standing: RwLock::new(proved.collect()),
            proofs: config.proofs.clone(),
            rules: rules.map(|it| Rules { hours: it.hours.parse().ok(), proof: it.proof }),
            dns: Dns::new(config.dns),
            resolver: Resolver {
                fixed: config.resolve.clone(),
                allowed: config.allow_networks.clone(),
                dns: Dns::new(config.dns),
            },
            public: tls(public.clone())?,
            public_roots: Arc::new(public),
            mapped: tls(mapped.clone())?,
            mapped_roots: Arc::new(mapped),
            lanes: Lanes::per_second(rules.map_or(1, |it| it.rate_per_second)),
            own: None,
        })
    }

    /// With the way to our own platform beside it. What goes there is bound by no rule of the
    /// partner's, since the host is ours.
    #[must_use]
    pub fn and_own(mut self, reach: Option<Reach>) -> Self {
        self.own = reach.map(|it| (it, Lanes::per_second(OWN_PER_SECOND)));
        self
    }

    /// Sends a request, if it may be sent at all. What is not hostile is repeated where the host
    /// asks for that (429 and `Retry-After`), a few times and within seconds.
    pub async fn send(&self, ask: Ask, now: Timestamp) -> Received {
        let (url, host, whose) = match self.may_send(&ask, now) {
            Ok(it) => it,
            Err(refusal) => return Received::failed(FailureKind::AddressRefused, refusal),
        };
        let (resolver, lanes, tls) = self.way(&host, whose);
        let port = url.port_or_known_default().unwrap_or(443);
        let mut repeats = 0;
        loop {
            let Some(request) = request(&ask, &url, &host) else {
                let text = "the request cannot be written";
                return Received::failed(FailureKind::Protocol, text);
            };
            let turn = lanes.turn(&host).await;
            let received = once(resolver, tls, (&host, port), request).await;
            drop(turn);
            let later = retry_after(&received, now).filter(|_| !ask.hostile);
            let (Some(later), true) = (later, repeats < REPEATS_MAX) else { return received };
            lanes.hold(&host, later).await;
            repeats += 1;
        }
    }

    /// Notes whether control of a host is proved, or what has to be done.
    pub(super) fn stand(&self, host: &str, standing: Result<(), String>) {
        let mut known = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(host.to_owned(), standing);
    }

    /// Whether the partner has proved that it controls a host, or what it has to do.
    pub(super) fn is_proved(&self, host: &str) -> Result<(), String> {
        let known = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        let nobody = || Err("no proof was asked for in this run".to_owned());
        known.get(host).cloned().unwrap_or_else(nobody)
    }

    /// Whether a host is our own platform's.
    pub(super) fn is_own(&self, host: &str) -> bool {
        self.own.as_ref().is_some_and(|(it, _)| it.hosts.contains(host))
    }

    /// Where a host is, how often it may be asked, and whom to trust there.
    fn way(&self, host: &str, whose: Whose) -> (&Resolver, &Lanes, &Arc<ClientConfig>) {
        match &self.own {
            Some((reach, lanes)) if whose == Whose::Platform => {
                (&reach.resolver, lanes, &reach.tls)
            }
            _ => {
                let is_mapped = self.resolver.is_mapped(host);
                let tls = if is_mapped { &self.mapped } else { &self.public };
                (&self.resolver, &self.lanes, tls)
            }
        }
    }

    fn may_send(&self, ask: &Ask, now: Timestamp) -> Result<(Url, String, Whose), String> {
        let url = Url::parse(&ask.url).map_err(|it| format!("not an address: {it}"))?;
        let host = url.host_str().unwrap_or_default().to_lowercase();
        if url.scheme() != "https" {
            return Err("only https is spoken".to_owned());
        }
        if self.is_own(&host) {
            return Ok((url, host, Whose::Platform));
        }
        self.may_reach(&host, ask.hostile, now)?;
        Ok((url, host, Whose::Partner))
    }

    /// Only hosts of the manifest; hostile only where and when the partner agreed to it.
    fn may_reach(&self, host: &str, hostile: bool, now: Timestamp) -> Result<(), String> {
        if !self.hosts.contains(host) {
            return Err(format!("the manifest does not name the host `{host}`"));
        }
        if hostile {
            let Some(rules) = &self.rules else {
                return Err("the manifest has no [rules_of_engagement]".to_owned());
            };
            if !rules.hours.as_ref().is_some_and(|it| it.contains(now)) {
                return Err("it is outside the hours of [rules_of_engagement]".to_owned());
            }
            if let Err(todo) = self.is_proved(host) {
                let text = format!("the partner has not proved that it controls `{host}`: {todo}");
                return Err(text);
            }
        }
        Ok(())
    }
}

/// One request over this way; how long it took is told beside its answer.
async fn once(
    resolver: &Resolver,
    tls: &Arc<ClientConfig>,
    (host, port): (&str, u16),
    request: http::Request<Full<Bytes>>,
) -> Received {
    let start = Instant::now();
    let address = match resolver.resolve(host, port).await {
        Ok(it) => it,
        Err(it) => return Received::failed(it.kind, it.detail),
    };
    let tls = Arc::clone(tls);
    let way = Way { address, host, tls, from: None, bounds: Bounds::default() };
    let answer = exchange(&way, request).await;
    let took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    match answer {
        Ok(it) => Received {
            status: it.status,
            headers: it.headers,
            body: it.body,
            failure: None,
            took_ms,
        },
        Err(it) => Received { took_ms, ..Received::failed(it.kind, it.detail) },
    }
}

/// How often our own platform is asked in any second.
const OWN_PER_SECOND: u32 = 100;

/// The partner's hosts that a manifest names. Addresses at the platform are not among them.
pub fn hosts_of(manifest: &Manifest) -> BTreeSet<String> {
    let mut addresses: Vec<String> = Vec::new();
    let mut calls: Vec<&str> = Vec::new();
    for identity in &manifest.identities {
        addresses.extend(identity.jwks.iter().map(ToString::to_string));
        calls.extend(identity.rotation.iter().map(|it| it.start.as_str()));
        let offboarding = identity.offboarding.iter();
        calls.extend(offboarding.flat_map(|it| [it.start.as_str(), it.confirmed.as_str()]));
    }
    for server in &manifest.authorization_servers {
        addresses.push(server.issuer.to_string());
        calls.extend(server.resource.as_deref());
    }
    let next = manifest.events.iter().filter_map(|it| it.signing.next_key.as_ref());
    calls.extend(next.map(|it| it.call.as_str()));
    let streams = manifest.events.iter().filter_map(|it| it.stream.as_ref()?.canary.as_ref());
    calls.extend(streams.flat_map(|it| [it.open.as_str(), it.access.as_str()]));
    calls.extend(manifest.resources.iter().flat_map(Resource::addresses).map(|it| it.1));
    addresses.extend(manifest.callbacks.iter().map(|it| it.url.to_string()));
    calls.extend(manifest.callbacks.iter().filter_map(|it| it.start.as_deref()));
    for webhook in &manifest.webhooks {
        let own = [&webhook.register, &webhook.trigger, &webhook.unregister];
        calls.extend(own.into_iter().flatten().map(String::as_str));
    }
    addresses.extend(manifest.events.iter().map(|it| it.endpoint.to_string()));
    addresses.extend(manifest.effects.iter().map(|it| it.url.to_string()));
    addresses.extend(manifest.data_paths.iter().map(|it| it.endpoint.to_string()));
    addresses.extend(manifest.logging.source.iter().map(ToString::to_string));
    if let Some(source) = &manifest.source {
        addresses.extend(source.attestation.iter().map(ToString::to_string));
    }
    addresses.extend(calls.iter().filter_map(|it| it.split_once(' ')).map(|it| it.1.to_owned()));
    let at_platform: BTreeSet<String> = manifest.webhooks.iter().map(|it| it.url.host()).collect();
    let hosts = addresses.iter().filter_map(|it| Url::parse(it.trim()).ok());
    hosts
        .filter_map(|it| it.host_str().map(str::to_lowercase))
        .filter(|it| !at_platform.contains(it))
        .collect()
}

/// The authorities that everybody trusts.
pub(crate) fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// The authorities in a PEM file.
pub(crate) fn certificates(pem: &[u8]) -> Result<RootCertStore, TalkConfigError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| TalkConfigError::Certificates)?;
        store.add(certificate).map_err(|_| TalkConfigError::Certificates)?;
    }
    if store.is_empty() { Err(TalkConfigError::Certificates) } else { Ok(store) }
}

/// TLS that trusts these authorities.
pub(crate) fn tls(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A request as it is written on the wire.
pub(crate) fn request(ask: &Ask, url: &Url, host: &str) -> Option<http::Request<Full<Bytes>>> {
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut builder = http::Request::builder()
        .method(ask.method.as_str())
        .uri(target)
        .header("host", authority)
        .header("connection", "close");
    if !ask.headers.iter().any(|(name, _)| name == "user-agent") {
        builder = builder.header("user-agent", concat!("countersign/", env!("CARGO_PKG_VERSION")));
    }
    for (name, value) in &ask.headers {
        builder = builder.header(name.as_str(), value.as_str());
    }
    builder.body(Full::new(Bytes::from(ask.body.clone()))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::declare::{Format, parse};

    fn manifest(text: &str) -> Manifest {
        parse(text, Format::Toml).unwrap().manifest
    }

    fn saas() -> Manifest {
        let text = crate::fact::SAAS;
        manifest(&text.replace("environment = \"production\"", "environment = \"sandbox\""))
    }

    fn noon() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn only_the_partners_own_hosts_are_named() {
        let hosts: Vec<String> = hosts_of(&saas()).into_iter().collect();
        assert_eq!(hosts, ["acme.example", "app.acme.example", "events.acme.example"]);
    }

    #[test]
    fn settings_for_tests_are_refused_for_production() {
        let production = manifest(crate::fact::SAAS);
        let address = "127.0.0.1:1".parse().unwrap();
        let configs = [
            TalkConfig {
                resolve: [("a.example".to_owned(), address)].into(),
                ..TalkConfig::default()
            },
            TalkConfig { ca: Some(Vec::new()), ..TalkConfig::default() },
            TalkConfig {
                allow_networks: vec!["10.0.0.0/8".parse().unwrap()],
                ..TalkConfig::default()
            },
        ];
        for config in configs {
            let refused = Client::new(&config, &production);
            assert!(matches!(refused, Err(TalkConfigError::TestOnly(_))), "{config:?}");
        }
        assert!(Client::new(&TalkConfig::default(), &production).is_ok());
    }

    #[test]
    fn a_request_goes_only_where_and_when_the_manifest_allows() {
        let manifest = saas();
        let proved = TalkConfig {
            proved: ["events.acme.example".to_owned()].into(),
            ..TalkConfig::default()
        };
        let client = |config: &TalkConfig| Client::new(config, &manifest).unwrap();
        let own = Ask::get("https://events.acme.example/effects");
        let table = [
            (client(&proved), own.clone(), true),
            (client(&proved), own.clone().hostile(), true),
            (client(&TalkConfig::default()), own.clone().hostile(), false),
            (client(&proved), Ask::get("https://id.example.com/hooks/acme-helpdesk"), false),
            (client(&proved), Ask::get("https://elsewhere.example/"), false),
            (client(&proved), Ask::get("http://events.acme.example/effects"), false),
            (client(&proved), Ask::get("https://acme.example/").hostile(), false),
        ];
        for (client, ask, allowed) in table {
            assert_eq!(client.may_send(&ask, noon()).is_ok(), allowed, "{ask:?} {}", ask.hostile);
        }
    }

    #[test]
    fn nothing_hostile_without_rules_or_outside_their_hours() {
        let mut manifest = saas();
        let config = TalkConfig {
            proved: ["events.acme.example".to_owned()].into(),
            ..TalkConfig::default()
        };
        let ask = Ask::get("https://events.acme.example/id").hostile();
        let rules = manifest.rules_of_engagement.as_mut().unwrap();
        rules.hours = "01:00-02:00 UTC".to_owned();
        assert!(Client::new(&config, &manifest).unwrap().may_send(&ask, noon()).is_err());
        manifest.rules_of_engagement = None;
        assert!(Client::new(&config, &manifest).unwrap().may_send(&ask, noon()).is_err());
    }
}
