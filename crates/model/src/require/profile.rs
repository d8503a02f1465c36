//! A named, versioned set of controls for one kind of integration.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::requirement::Level;
use super::threshold::Threshold;
use super::tier::Tier;
use crate::declare::manifest::{FailMode, Manifest};
use crate::time::Period;

/// A named, versioned set of controls: one file in `catalogue/profiles/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name without the version: `saas-vendor`.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Its name for people.
    pub title: String,
    /// The kind of integration that it is meant for, in one sentence.
    pub for_whom: String,
    /// How long a decision lasts at most.
    pub max_age: Period,
    /// How long what was certified goes on after a trigger, as `due`.
    pub grace: Period,
    /// What gates may do when they cannot refresh.
    pub fail_mode: Vec<FailMode>,
    /// What a refusal is worth that was seen as a status code only.
    pub status_only: StatusOnly,
    /// What a manifest has to declare, so that leaving it out never skips a check.
    pub must_declare: Vec<Section>,
    /// The triggers that suspend at once, instead of asking for recertification.
    pub suspend_on: BTreeSet<String>,
    /// What may be waived, and for how long.
    pub waiver: WaiverRule,
    /// Figures in place of the catalogue's, by control.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, BTreeMap<String, Threshold>>,
    /// How much each control counts.
    pub levels: BTreeMap<String, Level>,
}

/// What a refusal is worth that was seen as a status code only, without an effect oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusOnly {
    /// It is enough.
    Accept,
    /// It leaves the question open.
    Inconclusive,
}

/// A part of a manifest that may be left out, unless the profile asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// `[declared_use]`.
    DeclaredUse,
    /// `[effects]`.
    Effects,
    /// `[observation]`.
    Observation,
    /// `[identity.offboarding]`, of any identity.
    Offboarding,
    /// `[identity.rotation]`, of any identity.
    Rotation,
    /// `[source]`.
    Source,
}

impl Section {
    /// As it is written in a manifest.
    pub fn heading(self) -> &'static str {
        match self {
            Self::DeclaredUse => "[declared_use]",
            Self::Effects => "[effects]",
            Self::Observation => "[observation]",
            Self::Offboarding => "[identity.offboarding]",
            Self::Rotation => "[identity.rotation]",
            Self::Source => "[source]",
        }
    }

    /// Whether a manifest has it.
    pub fn is_in(self, manifest: &Manifest) -> bool {
        match self {
            Self::DeclaredUse => manifest.declared_use.is_some(),
            Self::Effects => manifest.effects.is_some(),
            Self::Observation => manifest.observation.is_some(),
            Self::Offboarding => manifest.identities.iter().any(|it| it.offboarding.is_some()),
            Self::Rotation => manifest.identities.iter().any(|it| it.rotation.is_some()),
            Self::Source => manifest
                .source
                .as_ref()
                .is_some_and(|it| !it.repositories.is_empty() || !it.images.is_empty()),
        }
    }
}

/// What may be waived, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaiverRule {
    /// How long a waiver lasts at most; the catalogue's limit of the tier holds beside it.
    pub max_age: Period,
    /// How many may be alive at once for one integration.
    pub at_once_max: u32,
    /// The controls that are never waived.
    pub never: BTreeSet<String>,
}

/// The control whose figure `max_days` limits exceptions.
const EXCEPTIONS: &str = "CTS-GOV-06";

impl Profile {
    /// Its name with the version: `saas-vendor@1`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// How much a control counts; one that the profile does not name is observed.
    pub fn level(&self, control: &str) -> Level {
        self.levels.get(control).copied().unwrap_or(Level::Observe)
    }

    /// What the profile asks a manifest to declare, and it does not.
    pub fn missing_sections(&self, manifest: &Manifest) -> Vec<Section> {
        self.must_declare.iter().copied().filter(|it| !it.is_in(manifest)).collect()
    }

    /// How long a waiver of a control may last at a tier; `None` when it is never waived.
    pub fn waiver_age_max(
        &self,
        control: &str,
        tier: Tier,
        catalogue: &super::Catalogue,
    ) -> Option<Period> {
        if self.waiver.never.contains(control) {
            return None;
        }
        let own = self.thresholds.get(EXCEPTIONS);
        let limit = catalogue.control(EXCEPTIONS).and_then(|it| {
            super::threshold::Thresholds::resolve(&it.thresholds, own, tier).period("max_days")
        });
        Some(limit.map_or(self.waiver.max_age, |it| it.min(self.waiver.max_age)))
    }
}
