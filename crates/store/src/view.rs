//! Views: made from events, dropped and made again.

use countersign_model::event::{Event, What};

/// One row of the list of integrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationView {
    /// Its id.
    pub id: String,
    /// Its own name.
    pub slug: String,
    /// The profile that judges it.
    pub profile: String,
    /// Digest of the newest manifest.
    pub manifest: String,
    /// Index of the event that the row was made from last.
    pub last_event: i64,
}

impl IntegrationView {
    /// The row that a submission makes.
    pub(crate) fn of(index: i64, event: &Event) -> Option<Self> {
        let What::Submitted { integration, slug, manifest, profile, .. } = &event.what else {
            return None;
        };
        Some(Self {
            id: integration.to_string(),
            slug: slug.to_string(),
            profile: profile.to_string(),
            manifest: manifest.to_string(),
            last_event: index,
        })
    }
}
