//! The life of one certification: plain data and pure functions.
//!
//! Modules stand in the order in which an integration lives through them. Nothing here reads a
//! clock, a file or a socket: time and entropy are arguments.

pub mod id;
pub mod time;

pub mod certify;
pub mod check;
pub mod declare;
pub mod enforce;
pub mod monitor;
pub mod require;
pub mod review;
pub mod revoke;

pub mod event;
pub mod lifecycle;
pub mod registry;
