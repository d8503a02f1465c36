//! Secrets where none should be: in source and its history, in artefacts, in what is published, in logs.

mod image;
mod judge;
mod look;
mod material;

pub mod live;
pub mod secrets;

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] =
    &[&secrets::KeepsSecretsOutOfSource, &live::KeepsLiveCredentialsOutOfSource];
