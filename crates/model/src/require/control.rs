//! Something that is required of an integration.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::capability::Capability;
use super::threshold::Threshold;
use super::tier::{PerTier, Tier, codes};

/// Something that is required of an integration: one file in `catalogue/controls/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its id: `CTS-WHK-02`.
    pub id: String,
    /// Its name.
    pub title: String,
    /// What it means, in a short sentence for the reviewer.
    pub plain: String,
    /// What is required.
    pub requirement: String,
    /// What can happen where it does not hold, in one sentence.
    pub risk: String,
    /// How bad that is.
    pub severity: Severity,
    /// The tiers that it applies to.
    #[serde(with = "codes")]
    pub tiers: BTreeSet<Tier>,
    /// It applies to integrations with any of these.
    pub capabilities: BTreeSet<Capability>,
    /// How it can be found out.
    pub check_kinds: Vec<CheckKind>,
    /// The checks that decide it, by the behaviour that passes. Empty: none exists yet.
    pub checks: Vec<String>,
    /// Where no check exists: what stands in for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation: Option<Automation>,
    /// The hostile cases that belong to it: `WHK-04`.
    pub probes: Vec<String>,
    /// The incidents that it would have stopped: `SN-2025-GAINSIGHT`.
    pub scenarios: Vec<String>,
    /// When it holds.
    pub pass_criterion: String,
    /// What to do where it does not.
    pub remediation: String,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How old its evidence may be, in hours.
    pub freshness_hours: PerTier<u32>,
    /// Its figures.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, Threshold>,
    /// Ids of other frameworks, by framework.
    pub map: BTreeMap<String, Vec<String>>,
}

impl Control {
    /// Whether it applies to an integration of this tier that does these things.
    pub fn applies(&self, capabilities: &BTreeSet<Capability>, tier: Tier) -> bool {
        self.tiers.contains(&tier)
            && (self.capabilities.contains(&Capability::Any)
                || !self.capabilities.is_disjoint(capabilities))
    }
}

/// How bad it is when a control does not hold. A worse one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// To be mended in time.
    Medium,
    /// To be mended first.
    High,
    /// Opens the door.
    Critical,
}

impl Severity {
    /// The word: `high`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// How a control can be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// A person states it, with a name and an end.
    Attestation,
    /// Logs say it.
    LogAnalysis,
    /// The manifest says it.
    Manifest,
    /// The platform says it.
    PlatformConnector,
    /// The partner is asked, with right and wrong requests.
    Probe,
    /// Code, artefacts and history say it.
    SourceScan,
}

/// What stands in for a check that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Automation {
    /// A person has to state it.
    Attestation,
    /// Nothing yet: it stays open.
    NotYet,
}

impl Automation {
    /// What people read.
    pub fn says(self) -> &'static str {
        match self {
            Self::Attestation => "needs attestation",
            Self::NotYet => "not yet automated",
        }
    }
}
