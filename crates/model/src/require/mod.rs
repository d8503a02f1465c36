//! Step 2, require: the catalogue says which controls a manifest makes applicable, and at which tier.

pub mod capability;
pub mod catalogue;
pub mod control;
mod embedded;
pub mod framework;
pub mod power;
pub mod profile;
pub mod requirement;
pub mod scope;
pub mod threshold;
pub mod tier;
pub mod trigger;
mod words;

pub use capability::{Capability, capabilities_of};
pub use catalogue::Catalogue;
pub use control::Control;
pub use power::computed_tier;
pub use profile::Profile;
pub use requirement::{Level, Requirement, require};
pub use tier::Tier;
