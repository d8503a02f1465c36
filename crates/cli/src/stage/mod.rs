//! A stage: a folder in which a server, a sandbox and people can play a whole certification.

mod certifier;
pub(crate) mod control;
mod error;
mod people;
mod prepare;
mod running;
mod sandbox;
mod seat;
mod settings;

pub(crate) use error::StageError;
pub(crate) use people::PersonKey;
pub(crate) use prepare::{Options, Stage, prepare};
pub(crate) use running::{Running, serve, start, start_without_server};
pub(crate) use sandbox::Sandbox;
