#![cfg(test)]
//! The vectors that others may run, run here; and our envelopes before a foreign verifier.

mod foreign;
mod hostile;
mod vectors;
