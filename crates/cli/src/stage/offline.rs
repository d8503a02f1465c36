//! The world of a server whose settings name no platform: nothing can be asked.

use async_trait::async_trait;
use countersign_model::certify::Baseline;
use countersign_model::declare::Manifest;
use countersign_model::declare::path::Path;
use countersign_model::revoke::WithdrawalKind;
use countersign_seal::Digest;
use countersign_server::world::{Job, Looked, Unreachable, World};

/// Nothing is connected.
#[derive(Debug)]
pub(crate) struct Offline;

fn nothing<T>() -> Result<T, Unreachable> {
    Err(Unreachable("the settings name no platform".to_owned()))
}

#[async_trait]
impl World for Offline {
    async fn look(&self, _: Job<'_>) -> Result<Looked, Unreachable> {
        nothing()
    }

    async fn baseline(&self, _: &Manifest, _: Digest) -> Result<Baseline, Unreachable> {
        nothing()
    }

    async fn cut(&self, _: &Manifest, _: &Path, _: WithdrawalKind) -> Result<String, Unreachable> {
        nothing()
    }

    async fn probe(&self, _: &Manifest, _: &Path) -> Result<Option<String>, Unreachable> {
        nothing()
    }

    async fn restore(&self, _: &Manifest, _: &Path) -> Result<String, Unreachable> {
        nothing()
    }

    async fn destroy(&self, _: &Manifest) -> Result<u32, Unreachable> {
        nothing()
    }
}
