//! The whole thing on one machine: four integrations, from their first refusal to their last.

mod cast;
mod change;
mod chapter;
mod play;
mod record;
mod report;
mod story;
mod until;
mod yours;

pub(crate) use play::play;
pub(crate) use yours::yours;
