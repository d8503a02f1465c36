//! What can be asked of the checks from outside.
#![cfg(test)]

mod log;
