//! What was declared and what was really granted, at the moment of certification.

use std::collections::{BTreeMap, BTreeSet};

use countersign_seal::{CanonicalError, Digest, digest_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The schema name of a baseline.
pub const BASELINE_SCHEMA: &str = "countersign.baseline/1";

/// What the platform holds for one identity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Granted {
    /// Whether it may act.
    pub enabled: bool,
    /// How it proves itself.
    pub auth: String,
    /// What it may ask for.
    pub scopes: BTreeSet<String>,
    /// Ids of the keys that the platform accepts.
    pub keys: BTreeSet<String>,
    /// Where codes may be sent.
    pub redirect_uris: BTreeSet<String>,
    /// How long its tokens live, in seconds.
    pub token_ttl_seconds: u64,
    /// How long a refresh family lives, in seconds; 0 where it may not refresh.
    pub refresh_ttl_seconds: u64,
    /// Roles, which grant more than scopes tell; none where the platform does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<BTreeSet<String>>,
    /// Ids of everything that it can prove itself with; none where the platform does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<BTreeSet<String>>,
    /// Who is said to own it, empty where nobody does; none where the platform does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Manifest digest plus what was really granted at the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// `countersign.baseline/1`.
    pub schema: String,
    /// What was declared.
    #[schemars(with = "String")]
    pub manifest: Digest,
    /// What the platform holds, by client id.
    pub granted: BTreeMap<String, Granted>,
    /// Active subscriptions at the platform, by id, with their event types.
    pub subscriptions: BTreeMap<String, BTreeSet<String>>,
}

impl Baseline {
    /// A baseline of this manifest.
    pub fn new(
        manifest: Digest,
        granted: BTreeMap<String, Granted>,
        subscriptions: BTreeMap<String, BTreeSet<String>>,
    ) -> Self {
        Self { schema: BASELINE_SCHEMA.to_owned(), manifest, granted, subscriptions }
    }

    /// Its digest.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        digest_of(self)
    }
}
