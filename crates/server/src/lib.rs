//! The API, and the loops that keep a certification alive.

pub mod api;
pub mod app;
pub mod auth;
pub mod book;
pub mod busy;
pub mod clock;
pub mod config;
mod demand;
mod entropy;
pub mod keys;
pub mod live;
pub mod loops;
mod mirror;
pub mod pack;
pub mod problem;
pub mod run;
mod sealed;
pub mod snapshot;
pub mod steps;
pub mod world;

pub use config::Config;
pub use run::{Running, StartError, run};
