//! Secrets where none should be: in source and its history, in artefacts, in what is published, in logs.

mod image;
mod judge;
mod look;
mod material;

pub mod live;
pub mod secrets;
