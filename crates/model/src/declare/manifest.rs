//! What a partner declares: the manifest, as types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::channel::*;
pub use super::identity::*;
pub use super::issuer::*;
pub use super::resource::*;
pub use super::terms::*;
use super::words::{HttpsUrl, ProfileRef, Slug};
use crate::require::tier::Tier;

/// What an integration is, holds, needs and how it can be cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format: `1`.
    #[schemars(range(min = 1, max = 1))]
    pub manifest: u32,
    /// The named set of controls that judges this file: `saas-vendor@1`.
    pub profile: ProfileRef,
    /// Where the certificate counts. Minima of windows and ages bind production only.
    pub environment: Environment,
    /// What is certified.
    pub integration: Integration,
    /// Who stands behind it.
    pub partner: Partner,
    /// People on the platform's side who answer for it, never a mailing list.
    pub owners: Owners,
    /// Where the checker looks for secrets that should not be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Everything the integration can act with.
    #[serde(rename = "identity", default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<Identity>,
    /// Authorization servers of the partner's whose tokens we trust.
    #[serde(rename = "authorization_server", default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_servers: Vec<AuthorizationServer>,
    /// Redirects and other addresses that receive codes or tokens.
    #[serde(rename = "callback", default, skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<Callback>,
    /// Signed calls of the partner to the platform.
    #[serde(rename = "webhook", default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    /// Events that the platform sends to the partner.
    #[serde(rename = "event", default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventSubscription>,
    /// Jobs that run by themselves.
    #[serde(rename = "automation", default, skip_serializing_if = "Vec::is_empty")]
    pub automations: Vec<Automation>,
    /// How we see whether a delivery had an effect, not only a status code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects: Option<Effects>,
    /// APIs of the partner's that accept tokens of ours.
    #[serde(rename = "resource", default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// Which data goes where.
    #[serde(rename = "data_path", default, skip_serializing_if = "Vec::is_empty")]
    pub data_paths: Vec<DataPath>,
    /// Who else holds or sees our credentials or data.
    #[serde(rename = "dependency", default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// Every token request in the log is held against this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_use: Option<DeclaredUse>,
    /// The gate stays shut until this is met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<Observation>,
    /// What hostile checks may do, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_of_engagement: Option<RulesOfEngagement>,
    /// How the partner's use can be followed.
    pub logging: Logging,
    /// Alerts that must arrive when something is misused.
    #[serde(rename = "alert", default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// How and how fast trust is withdrawn.
    pub revocation: RevocationTerms,
    /// When the question is asked again.
    pub recertify: Recertify,
    /// Files that a control needs.
    #[serde(rename = "evidence", default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceFile>,
}

/// Where a certificate counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Real people, real data.
    Production,
    /// A test tenant: windows may be seconds.
    Sandbox,
}

/// What is certified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    /// Its name here: 3 to 40 lowercase letters, digits and inner hyphens.
    pub id: Slug,
    /// Its name for people.
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    /// What it is for, in one sentence.
    #[schemars(length(min = 1, max = 500))]
    pub purpose: String,
    /// How much it can do; never lower than what its power computes to.
    pub tier: Tier,
}

/// The outside organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// Its name.
    pub name: String,
    /// Its domain; control of it is proved by a DNS record or a well-known file.
    pub domain: String,
    /// Who answers technical questions: a mail address.
    pub technical_contact: String,
    /// Who answers day and night: `tel:…` or `mailto:…`.
    pub incident_contact: String,
    /// The legal entity, where it differs from the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_entity: Option<String>,
    /// The identity under which it publishes (a marketplace's publisher id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
}

/// People on the platform's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owners {
    /// Who wants it.
    pub business: String,
    /// Who runs it.
    pub technical: String,
    /// Who stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
}

/// Where to look for secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Repositories: `https` addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<HttpsUrl>,
    /// Images by digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// A signed statement of the partner's own scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<HttpsUrl>,
}
