//! The port to everything outside: checks, partners and platforms. Live, or a stand-in in tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_checks::canaries::{Canaries, Kept};
use countersign_checks::drill::load::Load;
use countersign_checks::drill::shadow::ShadowStep;
use countersign_checks::live::proof::Proofs;
use countersign_checks::platform::{AdminRecord, Inventory, RaisedAlert};
use countersign_checks::progress::Progress;
use countersign_model::certify::Baseline;
use countersign_model::check::{Evidence, Finding};
use countersign_model::declare::Manifest;
use countersign_model::declare::path::Path;
use countersign_model::declare::words::ProfileRef;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::registry::CameBack;
use countersign_model::require::tier::Tier;
use countersign_model::review::Waiver;
use countersign_model::revoke::{DrillPart, WithdrawalKind};
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use serde::Serialize;
use serde_json::Value;

/// Everything outside. `Err` is our failure; what a partner does wrong is data.
#[async_trait]
pub trait World: Send + Sync + std::fmt::Debug {
    /// Preflight, then the checks.
    async fn look(&self, job: Job<'_>) -> Result<Looked, Unreachable>;

    /// One later look at what was offboarded.
    async fn sweep(&self, job: SweepJob<'_>) -> Result<Seen, Unreachable>;

    /// What the production platform really holds for a manifest.
    async fn baseline(&self, manifest: &Manifest, digest: Digest) -> Result<Baseline, Unreachable>;

    /// Tells the production platform to cut a path; what it said, in words.
    async fn cut(
        &self,
        manifest: &Manifest,
        path: &Path,
        how: WithdrawalKind,
    ) -> Result<String, Unreachable>;

    /// Asks whether a path now refuses: what a real call or question was answered, or none where it
    /// is not proven.
    async fn probe(&self, manifest: &Manifest, path: &Path) -> Result<Option<String>, Unreachable>;

    /// Knocks at a path, without any credential, in front of a lane: the reason for which its gate
    /// refuses, or none where it lets through to the platform.
    async fn knock(
        &self,
        lane: Lane,
        manifest: &Manifest,
        path: &Path,
    ) -> Result<Option<String>, Unreachable>;

    /// What a live drill of these parts would do. Nobody is asked, and nothing is changed.
    fn shadow(
        &self,
        manifest: &Manifest,
        parts: &BTreeSet<DrillPart>,
    ) -> Result<Vec<ShadowStep>, Unreachable>;

    /// Undoes [`Self::cut`] after a suspension.
    async fn restore(&self, manifest: &Manifest, path: &Path) -> Result<String, Unreachable>;

    /// Deletes clients, keys and subscriptions; how many.
    async fn destroy(&self, manifest: &Manifest) -> Result<u32, Unreachable>;

    /// What it did in production from a moment on, by the platform's own records.
    async fn used(&self, manifest: &Manifest, since: Timestamp) -> Result<Used, Unreachable>;

    /// The alerts that production raised about it.
    async fn alerts(&self, manifest: &Manifest) -> Result<Vec<RaisedAlert>, Unreachable>;

    /// What administrators of the production platform changed from a moment on.
    async fn admin_log(&self, since: Timestamp) -> Result<Vec<AdminRecord>, Unreachable> {
        let _ = since;
        Err(Unreachable("the platform does not tell who changed what".to_owned()))
    }

    /// Every client that a platform holds, whomever it belongs to.
    async fn inventory(&self, tenant: Tenant) -> Result<Inventory, Unreachable> {
        let _ = tenant;
        Err(Unreachable("the platform lists no clients".to_owned()))
    }
}

/// One of the two platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant {
    /// Where it counts.
    Production,
    /// Where it is tried.
    Test,
}

/// One run of checks.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    /// What is looked at.
    pub manifest: &'a Manifest,
    /// Its text.
    pub text: &'a str,
    /// Its digest.
    pub digest: Digest,
    /// The profile that judges.
    pub profile: &'a ProfileRef,
    /// The tier in force.
    pub tier: Tier,
    /// The checks to run; none for all.
    pub only: Option<&'a BTreeSet<String>>,
    /// What the production platform holds.
    pub baseline: &'a Baseline,
    /// The exceptions in force.
    pub waivers: &'a [Waiver],
    /// Since when a certificate has been in force; none before the first.
    pub certified_since: Option<Timestamp>,
    /// When the manifest was submitted: what was observed before is another's.
    pub submitted: Timestamp,
    /// Salts digests of secrets in transcripts.
    pub salt: &'a [u8; 32],
    /// By whom control of hosts is proved.
    pub proofs: &'a Proofs,
    /// Who is told how far it has come.
    pub progress: Arc<Progress>,
    /// What came back after it had been offboarded, and was not seen to stay away since.
    pub came_back: &'a BTreeMap<String, CameBack>,
    /// How long all of it may take; none for the usual limits.
    pub within: Option<Duration>,
    /// How hard a copy works while its key is changed; none for what is usual.
    pub load: Option<Load>,
}

/// One later look at what was offboarded.
#[derive(Debug)]
pub struct SweepJob<'a> {
    /// What is in force now.
    pub manifest: &'a Manifest,
    /// Its digest.
    pub digest: Digest,
    /// The profile that judges.
    pub profile: &'a ProfileRef,
    /// The tier in force.
    pub tier: Tier,
    /// Which look: `T+24 h`.
    pub sweep: &'a str,
    /// What was offboarded a copy of.
    pub subject: &'a str,
    /// When the copy ended.
    pub began: Timestamp,
    /// Its credentials.
    pub canaries: Canaries,
    /// Salts digests of secrets in transcripts.
    pub salt: &'a [u8; 32],
}

/// What a run found.
#[derive(Debug, Default)]
pub struct Looked {
    /// How many preflight questions were asked.
    pub questions: u32,
    /// What stands in the way of judging; then there is no evidence.
    pub problems: Vec<Value>,
    /// What keeps some checks from concluding anything.
    pub notices: Vec<Value>,
    /// What was seen, in a fixed order.
    pub seen: Vec<Seen>,
    /// What is to be tried again later, with its credentials.
    pub kept: Vec<Kept>,
}

/// One piece of evidence, with what the registry of checks says about it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The evidence.
    pub evidence: Evidence,
    /// The check.
    pub check: String,
    /// Its case.
    pub case: Option<String>,
    /// The controls that it decides.
    pub controls: Vec<String>,
    /// What was looked at.
    pub subject: String,
    /// What people read, where it does not pass.
    pub finding: Option<Finding>,
}

/// What an integration did in production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Used {
    /// From when.
    pub since: Timestamp,
    /// By client.
    pub clients: BTreeMap<String, UsedBy>,
}

/// What one client did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct UsedBy {
    /// Tokens granted.
    pub tokens: u64,
    /// Requests for a token that were refused.
    pub refused: u64,
    /// How often each scope was granted.
    pub scopes: BTreeMap<String, u64>,
    /// How often each call was made: `POST /v1/tickets`.
    pub calls: BTreeMap<String, u64>,
    /// When it was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// Lines that cannot be read.
    pub unreadable: u64,
}

/// Something that is needed did not answer. Never a verdict about a partner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);
