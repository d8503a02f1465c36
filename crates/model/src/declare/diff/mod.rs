//! What changed between two manifests, as facts and as sentences.

mod change;
mod rules;
mod walk;

pub use change::{ChangeKind, ManifestChange};
pub use walk::diff;
