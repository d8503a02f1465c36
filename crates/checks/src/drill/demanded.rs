//! What a profile wants to be declared, so that leaving it out never skips a drill.

use countersign_model::declare::Manifest;
use countersign_model::require::Catalogue;
use countersign_model::require::profile::Section;

/// Whether the manifest's own profile asks for a section that the manifest does not have.
pub(crate) fn is_missing(manifest: &Manifest, section: Section) -> bool {
    let profile = Catalogue::embedded().profile(manifest.profile.as_str());
    profile.is_some_and(|it| it.missing_sections(manifest).contains(&section))
}

/// The fact that a demanded section is not there.
pub(crate) const MISSING: &str = "missing-section";
