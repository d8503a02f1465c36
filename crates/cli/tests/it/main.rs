//! The command, run as people run it.
#![cfg(test)]

mod check;
mod console;
mod docs;
mod exits;
mod journeys;
mod key;
mod kill;
mod log;
mod manifest;
mod part;
mod run;
mod staged;
mod town;
mod usage;
mod verify;
