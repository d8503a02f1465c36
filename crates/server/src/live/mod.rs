//! The live world: checks over real partners, and the production platform.
//!
//! Production is proven without holding a partner's credential: the platform is asked about its
//! own gate, and a throw-away copy of the client tries the token endpoint.

mod cut;
mod look;
mod probe;
mod setup;
mod used;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_checks::drill::shadow::{self, ShadowStep};
use countersign_checks::harness::Harness;
use countersign_checks::live::client::TalkConfig;
use countersign_checks::platform::{AdminRecord, Inventory, Platform, PlatformError, RaisedAlert};
use countersign_checks::secrets::Secrets;
use countersign_model::certify::{Baseline, Granted};
use countersign_model::declare::Manifest;
use countersign_model::declare::path::Path;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::revoke::{DrillPart, WithdrawalKind};
use countersign_model::time::Timestamp;
use countersign_seal::Digest;

use crate::clock::Clock;
use crate::config::Config;
use crate::world::{Job, Looked, Seen, SweepJob, Tenant, Unreachable, Used, World};

pub use setup::LiveError;

/// The world as it is.
#[derive(Debug)]
pub struct LiveWorld {
    harness: Option<Arc<Harness>>,
    production: Option<Arc<dyn Platform>>,
    test: Option<Arc<dyn Platform>>,
    talk: TalkConfig,
    secrets: Secrets,
    sources: BTreeMap<String, PathBuf>,
    clock: Clock,
}

impl LiveWorld {
    /// The world that the settings name. It asks nobody yet. Where they name a harness, it starts,
    /// and needs a runtime of tokio.
    pub fn from_config(config: &Config, clock: Clock) -> Result<Self, LiveError> {
        setup::world(config, clock)
    }

    fn test(&self) -> Result<&dyn Platform, Unreachable> {
        let none = || Unreachable("no test platform is set up".to_owned());
        self.test.as_deref().ok_or_else(none)
    }

    fn production(&self) -> Result<&dyn Platform, Unreachable> {
        let none = || Unreachable("no production platform is set up".to_owned());
        self.production.as_deref().ok_or_else(none)
    }
}

/// What people read of a platform that could not be asked.
fn unreachable(error: &PlatformError) -> Unreachable {
    Unreachable(format!("the {error}: {}", error.source))
}

#[async_trait]
impl World for LiveWorld {
    async fn look(&self, job: Job<'_>) -> Result<Looked, Unreachable> {
        look::look(self, job).await
    }

    async fn sweep(&self, job: SweepJob<'_>) -> Result<Seen, Unreachable> {
        look::sweep(self, job).await
    }

    async fn baseline(&self, manifest: &Manifest, digest: Digest) -> Result<Baseline, Unreachable> {
        let held = self.production()?.granted(manifest).await.map_err(|it| unreachable(&it))?;
        let subscriptions = held.active_subscriptions();
        let mut granted = held.granted;
        // Nobody declared them, and still they can act: they belong to what is really granted.
        for client in held.undeclared {
            granted.entry(client).or_insert(Granted { enabled: true, ..Granted::default() });
        }
        Ok(Baseline::new(digest, granted, subscriptions))
    }

    async fn cut(
        &self,
        manifest: &Manifest,
        path: &Path,
        _: WithdrawalKind,
    ) -> Result<String, Unreachable> {
        cut::cut(self.production()?, manifest, path).await
    }

    async fn probe(&self, manifest: &Manifest, path: &Path) -> Result<Option<String>, Unreachable> {
        probe::probe(self.production()?, manifest, path).await
    }

    async fn knock(
        &self,
        lane: Lane,
        manifest: &Manifest,
        path: &Path,
    ) -> Result<Option<String>, Unreachable> {
        let platform = match lane {
            Lane::Certified => self.production()?,
            Lane::Trial => self.test()?,
        };
        probe::knock(platform, manifest, path).await
    }

    fn shadow(
        &self,
        manifest: &Manifest,
        parts: &BTreeSet<DrillPart>,
    ) -> Result<Vec<ShadowStep>, Unreachable> {
        Ok(shadow::steps(manifest, parts, self.test()?))
    }

    async fn restore(&self, manifest: &Manifest, path: &Path) -> Result<String, Unreachable> {
        cut::restore(self.production()?, manifest, path).await
    }

    async fn destroy(&self, manifest: &Manifest) -> Result<u32, Unreachable> {
        cut::destroy(self.production()?, manifest).await
    }

    async fn used(&self, manifest: &Manifest, since: Timestamp) -> Result<Used, Unreachable> {
        used::used(self.production()?, manifest, since).await
    }

    async fn admin_log(&self, since: Timestamp) -> Result<Vec<AdminRecord>, Unreachable> {
        self.production()?.admin_log(since).await.map_err(|it| unreachable(&it))
    }

    async fn inventory(&self, tenant: Tenant) -> Result<Inventory, Unreachable> {
        let platform = match tenant {
            Tenant::Production => self.production()?,
            Tenant::Test => {
                let none = || Unreachable("no test platform is set up".to_owned());
                self.test.as_deref().ok_or_else(none)?
            }
        };
        platform.inventory().await.map_err(|it| unreachable(&it))
    }

    async fn alerts(&self, manifest: &Manifest) -> Result<Vec<RaisedAlert>, Unreachable> {
        let alerts = self.production()?.alerts(&manifest.integration.id).await;
        alerts.map_err(|it| unreachable(&it))
    }
}
