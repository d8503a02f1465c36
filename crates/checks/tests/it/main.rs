//! What can be asked of the checks from outside.
#![cfg(test)]

mod authority;
mod broken_platform;
mod hostile;
mod listener;
mod log;
mod secrets;
