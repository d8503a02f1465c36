//! The eight steps as the server takes them: decide on what is known, then write it down.

pub mod after;
pub mod certify;
pub mod check;
pub mod declare;
mod drift;
pub mod drill;
mod granted;
pub mod monitor;
pub mod pack;
pub mod partial;
pub mod population;
pub mod prove;
pub mod review;
pub mod revoke;
pub mod show;
pub mod sweep;
pub mod take_up;
pub mod waive;
