//! Both tenants of the platform and the partners, connected: what the demo and the tests stand on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_checks::harness::{Harness, HarnessConfig};
use countersign_checks::live::clock::Clock;
use countersign_checks::platform::PlatformError;
use countersign_checks::platform::sandbox::{SandboxPlatform, SandboxSettings};
use countersign_model::declare::Manifest;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::Period;
use countersign_seal::Digest;
use tempfile::TempDir;

use crate::front::PlainPort;
use crate::manifests::{OVER_BROAD_SCOPE, Version, manifest, read};
use crate::partner::{PartnerConfig, Tenant};
use crate::platform::JWT_BEARER;
use crate::registration::{self, Lapse, SubscriptionRegistration};
use crate::revoked::{self, Published};
use crate::role::{self, HeldSecrets, Roles, Setting, WEAK_SECRET};
use crate::seat::{HARNESS_HOST, HarnessSeat, HarnessSlot, Shown, harness_names, shown};
use crate::serve::listener;
use crate::{
    AccessFault, Ask, Authority, Fault, IdentityServer, JwtFault, Kind, Net, Partner, Platform,
    PlatformConfig, StartError, TokenForm,
};

/// The host of the production tenant.
pub const PRODUCTION_HOST: &str = "id.example.com";
/// The host of the test tenant.
pub const TEST_HOST: &str = "test.id.example.com";

/// Everything. It stops when it is dropped, and leaves nothing behind.
#[derive(Debug)]
pub struct World {
    net: Net,
    production: Platform,
    test: Platform,
    partners: BTreeMap<Kind, Partner>,
    roles: Roles,
    secrets: HeldSecrets,
    harness: Mutex<HarnessSlot>,
    shown: Shown,
    _revoked: Published,
    legacy_secret: String,
    // Last, so that it outlives what writes there.
    _folder: TempDir,
}

/// What a world may be given from outside.
#[derive(Debug, Default)]
pub struct Foundation {
    /// Who vouches for every server; a new one where there is none.
    pub authority: Option<Authority>,
    /// Servers that issue the tokens of a tenant.
    pub identities: BTreeMap<Lane, IdentityServer>,
    /// Where other hosts are.
    pub resolve: BTreeMap<String, SocketAddr>,
}

impl World {
    /// Starts both tenants and all right partners, registered in both. Both gates are shut until
    /// [`World::put_gate`]. Needs a multi-threaded runtime of tokio.
    pub fn start() -> Result<Self, StartError> {
        Self::start_with(Foundation::default())
    }

    /// The same on a foundation that others stand on, too: their authority, and the servers that issue
    /// the tokens of a tenant in its place.
    pub fn start_with(foundation: Foundation) -> Result<Self, StartError> {
        let authority = foundation.authority.map_or_else(Authority::new, Ok)?;
        let folder = tempfile::tempdir().map_err(|it| StartError::Repository(it.to_string()))?;
        let mut listeners: BTreeMap<&str, TcpListener> = BTreeMap::new();
        let mut resolve: BTreeMap<String, SocketAddr> = foundation.resolve;
        let mut hold = |name: &'static str, hosts: &[&str]| -> Result<(), StartError> {
            let held = listener()?;
            let address = held.local_addr().map_err(StartError::Listen)?;
            resolve.extend(hosts.iter().map(|it| ((*it).to_owned(), address)));
            listeners.insert(name, held);
            Ok(())
        };
        hold(PRODUCTION_HOST, &[PRODUCTION_HOST, "orders.example.com"])?;
        hold(TEST_HOST, &[TEST_HOST])?;
        let names = harness_names();
        hold(HARNESS_HOST, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
        hold(revoked::HOST, &[revoked::HOST])?;
        for kind in Kind::EVERY {
            hold(kind.slug(), kind.hosts())?;
        }
        let roles = role::hold(&mut resolve)?;
        resolve.insert(INWARD.0.to_owned(), INWARD.1);
        let mut plain = BTreeMap::new();
        for kind in Kind::EVERY {
            plain.insert(kind, plain_port(kind, &mut resolve)?);
        }
        let net = Net { resolve, ca_pem: authority.pem().to_owned() };
        let mut take = |name: &str| match listeners.remove(name) {
            Some(held) => Ok(held),
            None => listener(),
        };
        let mut tenant = |host: &str, lane| {
            let config = PlatformConfig {
                host: host.to_owned(),
                lane,
                listener: take(host)?,
                net: net.clone(),
                tokens: TokenForm::Opaque,
            };
            Platform::start(config, &authority)
        };
        let production = tenant(PRODUCTION_HOST, Lane::Certified)?;
        let test = tenant(TEST_HOST, Lane::Trial)?;
        for (lane, server) in foundation.identities {
            match lane {
                Lane::Certified => production.take_tokens_of(server),
                Lane::Trial => test.take_tokens_of(server),
            }
        }
        let revoked = Published::start(take(revoked::HOST)?, authority.revocations()?)?;
        let shown = shown(&authority)?;
        let harness = HarnessConfig {
            url: format!("https://{HARNESS_HOST}"),
            listener: take(HARNESS_HOST)?,
            certificates: shown.certificates()?,
        };
        let mut partners = BTreeMap::new();
        for kind in Kind::EVERY {
            let of = |lane, platform: &Platform| -> Result<Tenant, StartError> {
                let intake = platform.intake_token(kind.slug())?;
                Ok(Tenant {
                    lane,
                    url: platform.url().to_owned(),
                    token_endpoint: platform.token_endpoint(),
                    audience: platform.audience(),
                    intake,
                })
            };
            let declared = manifest(kind)?;
            let config = PartnerConfig {
                kind,
                listener: take(kind.slug())?,
                plain: plain.remove(&kind).map_or_else(PlainPort::closed, Ok)?,
                net: net.clone(),
                tenants: vec![of(Lane::Certified, &production)?, of(Lane::Trial, &test)?],
                event_keys: vec![production.event_key(), test.event_key()],
                overlap: overlap(&declared),
                source: folder.path().join(kind.slug()),
            };
            partners.insert(kind, Partner::start(config, &authority)?);
        }
        let legacy_secret = crate::entropy::token()?;
        let suite = partners.get(&Kind::Meridian);
        let setting = Arc::new(Setting {
            faults: suite.map(Partner::shared_faults).unwrap_or_default(),
            api_token: Digest::of(suite.map_or("", Partner::api_token).as_bytes()),
            received: suite.map(Partner::shared_received).unwrap_or_default(),
            callers: suite.map(|it| it.callers().to_vec()).unwrap_or_default(),
            net: net.clone(),
            legacy_secret: legacy_secret.clone(),
            harness: harness.url.clone(),
            secrets: HeldSecrets::default(),
        });
        let secrets = setting.secrets.clone();
        let roles = Roles::start(&setting, roles, &authority)?;
        let harness = Mutex::new(HarnessSlot::Held(Box::new(harness)));
        let world = Self {
            net,
            production,
            test,
            partners,
            roles,
            secrets,
            harness,
            shown,
            _revoked: revoked,
            legacy_secret,
            _folder: folder,
        };
        for kind in Kind::EVERY {
            world.register(kind, &BTreeSet::new())?;
        }
        Ok(world)
    }

    /// Puts a gate in front of the tenant of its lane.
    pub fn put_gate(&self, lane: Lane, gate: Arc<dyn Ask>) {
        self.tenant(lane).put_gate(gate);
    }

    /// The tenant of a lane.
    pub fn tenant(&self, lane: Lane) -> &Platform {
        match lane {
            Lane::Certified => &self.production,
            Lane::Trial => &self.test,
        }
    }

    /// How the tenant of a lane is reached, as a connector is told.
    pub fn connector_settings(&self, lane: Lane) -> SandboxSettings {
        let tenant = self.tenant(lane);
        SandboxSettings {
            issuer: tenant.url().to_owned(),
            reader: tenant.reader_token().to_owned(),
            killer: tenant.killer_token().to_owned(),
            resolve: self.net.resolve.clone(),
            ca: Some(self.net.ca_pem.clone().into_bytes()),
            limit: CONNECTOR_MAX,
        }
    }

    /// A connector to the tenant of a lane.
    pub fn connector(
        &self,
        lane: Lane,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<SandboxPlatform>, PlatformError> {
        SandboxPlatform::new(self.connector_settings(lane), clock).map(Arc::new)
    }

    /// One of the partners.
    ///
    /// # Panics
    ///
    /// Never: a world holds all four from its start on.
    #[expect(clippy::expect_used, reason = "`start` inserts every kind")]
    pub fn partner(&self, kind: Kind) -> &Partner {
        self.partners.get(&kind).expect("a world holds all four partners")
    }

    /// Makes a partner wrong in exactly these ways from now on, in what it does and in what is
    /// registered for it at both tenants. No fault makes it right again.
    pub async fn set_faults(
        &self,
        kind: Kind,
        faults: impl IntoIterator<Item = Fault>,
    ) -> Result<(), StartError> {
        let faults: BTreeSet<Fault> = faults.into_iter().collect();
        self.register(kind, &faults)?;
        self.partner(kind).set_faults(faults).await?;
        if kind == Kind::Meridian {
            self.roles.settle(&self.partner(kind).shared_faults()).await?;
        }
        Ok(())
    }

    /// Grants at one tenant what a version of the manifest asks for, as an administrator might who
    /// asks nobody.
    pub fn grant(&self, kind: Kind, lane: Lane, version: Version) -> Result<(), StartError> {
        let declared = read(kind, version)?;
        register(self.tenant(lane), self.partner(kind), &declared, &BTreeSet::new())
    }

    /// Makes both tenants of the platform of no use in exactly these ways. No fault makes them right
    /// again.
    pub async fn break_platform(
        &self,
        faults: impl IntoIterator<Item = Fault>,
    ) -> Result<(), StartError> {
        let faults: BTreeSet<Fault> = faults.into_iter().collect();
        self.production.set_faults(faults.clone()).await?;
        self.test.set_faults(faults).await
    }

    /// Lets the partners whose work is observed go on working at the test tenant until
    /// [`World::rest`]: the payroll partner so that a rotation has something to break, the reseller
    /// so that its observation window fills.
    pub fn keep_busy(&self) {
        self.partner(Kind::Payrun).keep_busy(Lane::Trial, Duration::from_millis(200));
        self.partner(Kind::Northwind).keep_busy(Lane::Trial, Duration::from_millis(40));
    }

    /// Ends [`World::keep_busy`].
    pub fn rest(&self) {
        for partner in self.partners.values() {
            partner.rest();
        }
    }

    /// The checker's own server, which every partner reaches by name; the first call starts it.
    pub fn harness(&self) -> Result<Arc<Harness>, StartError> {
        let mut slot = self.harness.lock().unwrap_or_else(PoisonError::into_inner);
        if let HarnessSlot::Running(harness) = &*slot {
            return Ok(Arc::clone(harness));
        }
        match std::mem::replace(&mut *slot, HarnessSlot::Elsewhere) {
            HarnessSlot::Held(config) => {
                let harness = Harness::start(*config);
                let harness = harness.map_err(|it| StartError::Refused(it.to_string()))?;
                *slot = HarnessSlot::Running(Arc::clone(&harness));
                Ok(harness)
            }
            _ => Err(StartError::Refused("the harness runs elsewhere".to_owned())),
        }
    }

    /// Gives the port of the checker's own server to another process, which has to start it there.
    pub fn release_harness(&self) -> Result<HarnessSeat, StartError> {
        let mut slot = self.harness.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *slot, HarnessSlot::Elsewhere) {
            HarnessSlot::Held(config) => {
                let listen = config.listener.local_addr().map_err(StartError::Listen)?;
                Ok(HarnessSeat { url: config.url, listen, shown: self.shown.clone() })
            }
            kept => {
                *slot = kept;
                Err(StartError::Refused("the harness runs already".to_owned()))
            }
        }
    }

    /// Where each host is and whom to trust.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// The secrets that the server holds for the manifests, by name.
    pub fn secrets(&self) -> BTreeMap<String, String> {
        let of = |it: &Partner| (it.kind().secret_name().to_owned(), it.api_token().to_owned());
        let mut secrets: BTreeMap<String, String> = self.partners.values().map(of).collect();
        for partner in self.partners.values() {
            let events = manifest(partner.kind()).map(|it| it.events).unwrap_or_default();
            secrets.extend(events.iter().filter_map(|it| {
                let name = it.signing.secret_ref.clone()?;
                Some((name, partner.hook_secret(it.id.as_str())?))
            }));
        }
        let weak = Fault::Jwt(JwtFault::WeakSecret);
        let is_weak = self.partner(Kind::Meridian).faults().contains(&weak);
        let legacy = if is_weak { WEAK_SECRET } else { self.legacy_secret.as_str() };
        secrets.insert("meridian-legacy".to_owned(), legacy.to_owned());
        secrets.extend(self.secrets.all());
        secrets
    }

    /// Local copies of the repositories and images that manifests name, by address.
    pub fn sources(&self) -> BTreeMap<String, PathBuf> {
        let mut sources = BTreeMap::new();
        for partner in self.partners.values() {
            let (Some(folder), Ok(manifest)) = (partner.source(), manifest(partner.kind())) else {
                continue;
            };
            for repository in manifest.source.iter().flat_map(|it| &it.repositories) {
                sources.insert(repository.to_string(), folder.to_owned());
            }
            for image in manifest.source.iter().flat_map(|it| &it.images) {
                sources.extend(partner.image().map(|it| (image.clone(), it)));
            }
        }
        sources
    }

    fn register(&self, kind: Kind, faults: &BTreeSet<Fault>) -> Result<(), StartError> {
        let declared = manifest(kind)?;
        for platform in [&self.production, &self.test] {
            register(platform, self.partner(kind), &declared, faults)?;
        }
        Ok(())
    }
}

/// What a platform's administrators registered for a partner: what its manifest declares, but for its faults.
fn register(
    platform: &Platform,
    partner: &Partner,
    declared: &Manifest,
    faults: &BTreeSet<Fault>,
) -> Result<(), StartError> {
    let slug = partner.kind().slug();
    for mut client in registration::clients(declared) {
        if faults.contains(&Fault::OverBroadScope) {
            client.scopes.insert(OVER_BROAD_SCOPE.to_owned());
        }
        if faults.contains(&Fault::SilentMisuse) {
            client.alerts.clear();
        }
        if faults.contains(&Fault::OverlongTokens) {
            client.token_ttl_seconds *= 12;
        }
        if faults.contains(&Fault::OffUseRequests) {
            client.grant_types.insert(JWT_BEARER.to_owned());
        }
        let lapses = [
            (Fault::GrantsAnyScope, Lapse::GrantsAnyScope),
            (Fault::KeepsRevokedTokens, Lapse::KeepsRevokedTokens),
            (Fault::LosesTokenRequests, Lapse::LosesTokenRequests),
            (Fault::TokensOutliveDisable, Lapse::TokensOutliveDisable),
        ];
        client.lapses =
            lapses.into_iter().filter(|it| faults.contains(&it.0)).map(|it| it.1).collect();
        client.lapses.extend(oauth_lapses(faults));
        let access = faults.iter().filter_map(|it| match it {
            Fault::Access(it) => Some(Lapse::Access(*it)),
            _ => None,
        });
        client.lapses.extend(access);
        if faults.contains(&Fault::Access(AccessFault::HighCeiling)) {
            client.max_per_hour = client.max_per_hour.map(|it| it.saturating_mul(12));
        }
        AccessFault::add_credentials(faults, &mut client)?;
        platform.register_client(client)?;
    }
    for mut subscription in registration::subscriptions(declared) {
        subscription.secret = partner.hook_secret(&subscription.id);
        subscription.keeps_for_later = faults.contains(&Fault::FlushesAfterEnable);
        let relay = format!("{}.relay", subscription.id);
        if faults.contains(&Fault::DeliversAfterDisable) {
            let relay = SubscriptionRegistration {
                id: relay,
                relay_of: Some(subscription.id.clone()),
                ..subscription.clone()
            };
            platform.register_subscription(slug, relay);
        } else {
            platform.remove_subscription(slug, &relay);
        }
        platform.register_subscription(slug, subscription);
    }
    for webhook in registration::webhooks(declared, |it| partner.webhook_key(it.id.as_str())) {
        platform.register_webhook(slug, webhook)?;
    }
    Ok(())
}

/// Port 80 of a partner's hosts: of some nobody listens there, of some whoever comes is sent on.
fn plain_port(
    kind: Kind,
    resolve: &mut BTreeMap<String, SocketAddr>,
) -> Result<PlainPort, StartError> {
    let port = match kind {
        Kind::Acme | Kind::Meridian => PlainPort::open()?,
        Kind::Northwind | Kind::Payrun | Kind::Shiftly => PlainPort::closed()?,
    };
    let roles = role::ROLES.iter().map(|it| it.host).filter(|_| kind == Kind::Meridian);
    for host in kind.hosts().iter().copied().chain(roles) {
        resolve.insert(format!("{host}:80"), port.address()?);
    }
    Ok(port)
}

/// A name that leads to loopback itself, whatever the port.
const INWARD: (&str, SocketAddr) =
    ("inward.probe.example.com", SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)));

/// Where an authorization server is wrong about a client.
pub(crate) fn oauth_lapses(faults: &BTreeSet<Fault>) -> impl Iterator<Item = Lapse> {
    faults.iter().filter_map(|it| match it {
        Fault::Front(fault) => Some(Lapse::Front(*fault)),
        Fault::Oauth(fault) => Some(Lapse::Oauth(*fault)),
        _ => None,
    })
}

fn overlap(manifest: &Manifest) -> Period {
    let mut declared = manifest.identities.iter().filter_map(|it| it.rotation.as_ref());
    declared.next().map_or(Period::from_seconds(2), |it| it.overlap)
}

/// How long a connector waits for an answer.
const CONNECTOR_MAX: Duration = Duration::from_secs(3);
