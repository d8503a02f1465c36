//! What can be asked of the checks from outside.
#![cfg(test)]

mod broken_platform;
mod log;
