//! What is asked of one integration.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::capability::Capability;
use super::catalogue::Catalogue;
use super::control::Control;
use super::profile::Profile;
use super::threshold::Thresholds;
use super::tier::Tier;
use crate::time::Period;

/// How much a control counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It blocks from the certificate on; before, there is nothing to look at.
    AfterCertify,
    /// It is counted and shown, and does not block.
    Observe,
    /// It blocks.
    Required,
}

impl Level {
    /// The word: `after-certify`.
    pub fn word(self) -> &'static str {
        match self {
            Self::AfterCertify => "after-certify",
            Self::Observe => "observe",
            Self::Required => "required",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One control, as it is asked of one integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement<'a> {
    /// The control.
    pub control: &'a Control,
    /// How much it counts in the profile.
    pub level: Level,
    /// The tier in force.
    pub tier: Tier,
    /// Whether tier and capabilities call for it at all.
    pub applicable: bool,
    /// The checks that decide it; empty when none exists yet.
    pub checks: &'a [String],
    /// Its figures at this tier, with the profile's in place of the catalogue's.
    pub thresholds: Thresholds,
    /// How old its evidence may be.
    pub evidence_age_max: Period,
}

/// What a profile asks of an integration: one requirement for each control, in the catalogue's order.
///
/// Controls that tier and capabilities do not call for are there too, marked as not applicable, so
/// that every count has its denominator.
pub fn require<'a>(
    capabilities: &BTreeSet<Capability>,
    tier: Tier,
    profile: &Profile,
    catalogue: &'a Catalogue,
) -> Vec<Requirement<'a>> {
    let one = |control: &'a Control| Requirement {
        control,
        level: profile.level(&control.id),
        tier,
        applicable: control.applies(capabilities, tier),
        checks: &control.checks,
        thresholds: Thresholds::resolve(
            &control.thresholds,
            profile.thresholds.get(&control.id),
            tier,
        ),
        evidence_age_max: evidence_age_max(control, tier),
    };
    catalogue.controls.iter().map(one).collect()
}

/// How old evidence for a control may be: where a tier has no limit, nothing older than this moment counts.
fn evidence_age_max(control: &Control, tier: Tier) -> Period {
    control.freshness_hours.get(tier).map_or(Period::default(), |it| Period::from_hours((*it).into()))
}
