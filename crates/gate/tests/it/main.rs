//! What can be asked of a gate from outside.
#![cfg(test)]

mod decisions;
mod no_machine_can_grant;
mod world;
