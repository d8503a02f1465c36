//! What is asked of one manifest: the profile's requirements, with the manifest's own age of rehearsals.

use countersign_checks::drill::table;
use countersign_model::declare::Manifest;
use countersign_model::require::profile::Profile;
use countersign_model::require::{Catalogue, Requirement, Tier, capabilities_of, require};

/// One requirement for each control. What a drill rehearses is as young as `[revocation] drill_every`
/// says, where that is stricter than the catalogue.
pub(crate) fn demanded<'a>(
    manifest: &Manifest,
    tier: Tier,
    profile: &Profile,
    catalogue: &'a Catalogue,
) -> Vec<Requirement<'a>> {
    let every = manifest.revocation.drill_every;
    let is_drill = |check: &str| table::part_of(check).is_some();
    let all = require(&capabilities_of(manifest), tier, profile, catalogue).into_iter();
    all.map(|it| it.rehearsed(every, is_drill)).collect()
}
