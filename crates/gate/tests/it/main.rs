//! What can be asked of a gate from outside.
#![cfg(test)]

mod authzen;
mod batch;
mod clock;
mod decisions;
mod follower;
mod log;
mod no_machine_can_grant;
mod question;
mod server;
mod table;
mod vectors;
mod world;
