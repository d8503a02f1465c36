//! The command, run as people run it.
#![cfg(test)]

mod check;
mod exits;
mod key;
mod kill;
mod log;
mod manifest;
mod run;
mod town;
mod usage;
mod verify;
