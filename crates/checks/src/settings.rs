//! The figures of a profile, as checks read them.

use std::collections::BTreeMap;

use countersign_model::declare::Manifest;
use countersign_model::require::profile::StatusOnly;
use countersign_model::require::threshold::Bound;
use countersign_model::require::{Catalogue, Requirement, capabilities_of, computed_tier, require};
use serde_json::Value;

/// Every figure under the control's id and its name: `CTS-CRD-02.max_lifetime_seconds`.
pub fn of_requirements(requirements: &[Requirement<'_>]) -> BTreeMap<String, Value> {
    let mut settings = BTreeMap::new();
    for requirement in requirements {
        for (name, bound) in requirement.thresholds.iter() {
            let value = match bound {
                Bound::Integer(number) => Value::from(*number),
                Bound::Text(text) => Value::from(text.as_str()),
            };
            settings.insert(format!("{}.{name}", requirement.control.id), value);
        }
    }
    settings
}

/// What a manifest's own profile asks at the tier in force; nothing when there is no such profile.
pub fn of_manifest(manifest: &Manifest) -> BTreeMap<String, Value> {
    let catalogue = Catalogue::embedded();
    let Some(profile) = catalogue.profile(manifest.profile.as_str()) else {
        return BTreeMap::new();
    };
    let tier = computed_tier(manifest).max(manifest.integration.tier);
    let mut settings =
        of_requirements(&require(&capabilities_of(manifest), tier, profile, catalogue));
    let status_only = match profile.status_only {
        StatusOnly::Accept => "accept",
        StatusOnly::Inconclusive => "inconclusive",
    };
    settings.insert("status_only".to_owned(), status_only.into());
    settings.insert("tier".to_owned(), tier.word().into());
    settings
}
