//! What can be asked of the model from outside.
#![cfg(test)]

mod declare;
mod grant;
mod lifecycle;
mod quorum;
mod story;
mod sweeps;
mod triggers;
