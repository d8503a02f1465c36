#![cfg(test)]
//! The log as others see it: after crashes, with changed bytes, and to a foreign verifier.

mod faults;
mod foreign;
mod hostile;
mod vectors;
