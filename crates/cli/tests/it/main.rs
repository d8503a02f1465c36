//! The command, run as people run it.
#![cfg(test)]

mod check;
mod key;
mod log;
mod manifest;
mod run;
mod usage;
