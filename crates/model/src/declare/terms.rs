//! How use is followed and how trust ends, as a manifest declares it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::manifest::Environment;
use super::words::{HttpsUrl, Share};
use crate::time::Period;

/// What the log may show, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredUse {
    /// The grant: `client_credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// When: `06:00-20:00 Europe/Amsterdam, Mon-Fri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// From where: CIDR blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// Token requests in any hour at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_hour: Option<u32>,
    /// Fields that every request carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_carry: Vec<String>,
    /// What an actor looks like: a regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_pattern: Option<String>,
    /// Where an order can be looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_lookup: Option<String>,
}

/// What must have been observed before the gate opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// For how long.
    pub window: Period,
    /// How many requests at least.
    pub minimum_requests: u64,
    /// Share of requests with a known actor and the fields of `must_carry`.
    pub attributable: Share,
    /// Share of tokens inside `max_token_ttl`.
    pub time_bounded: Share,
    /// Share that matches `[declared_use]`.
    pub within_declared: Share,
    /// Stretches with traffic at the gate and no log line, at most this long.
    pub unexplained_gaps: Period,
    /// Where it is observed.
    #[serde(rename = "where")]
    pub place: Environment,
}

/// What hostile checks may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesOfEngagement {
    /// Requests in any second at most.
    #[schemars(range(min = 1, max = 1000))]
    pub rate_per_second: u32,
    /// When.
    pub hours: String,
    /// Whom to tell.
    pub contact: String,
    /// How control of each host is proved.
    pub proof: HostProof,
}

/// How control of a host is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HostProof {
    /// A TXT record.
    Dns,
    /// A file below `/.well-known/countersign/`.
    WellKnown,
}

/// How logs arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// We fetch them.
    Pull,
    /// They send them.
    Push,
}

/// How the partner's use can be followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    /// How logs arrive.
    pub delivery: Delivery,
    /// Where they are fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<HttpsUrl>,
    /// How late a line may be.
    pub max_delay: Period,
    /// The fields of a line.
    pub fields: Vec<String>,
    /// How completeness is proved: `per-client-counter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// How long lines are kept.
    pub retention: Period,
}

/// An alert that must arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// What raises it, in words.
    pub signal: String,
    /// To whom.
    pub to: String,
    /// How soon.
    pub within: Period,
}

/// What a gate does that cannot refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailMode {
    /// A stale "yes" may stand for at most `max_stale`.
    BestEffort,
    /// It denies.
    Strict,
}

/// How and how fast trust is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationTerms {
    /// How soon every path denies.
    pub deny_within: Period,
    /// How soon that is proved.
    pub prove_within: Period,
    /// What a gate does that cannot refresh.
    pub fail_mode: FailMode,
    /// How long a stale "yes" may stand under `best-effort`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stale: Option<Period>,
    /// How often withdrawal is rehearsed.
    pub drill_every: Period,
    /// What users are told while it is withdrawn.
    pub message: String,
}

/// When the question is asked again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recertify {
    /// How long a decision lasts at most.
    pub max_age: Period,
    /// What reopens it before that.
    pub on: Vec<String>,
}

/// A file that a control needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceFile {
    /// The control: `CTS-LOG-05`.
    #[serde(rename = "for")]
    pub control: String,
    /// What it is: `file`.
    pub kind: String,
    /// Where it is, beside the manifest.
    pub path: String,
}
