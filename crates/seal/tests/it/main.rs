#![cfg(test)]
//! The vectors that others may run, run here.

mod vectors;
