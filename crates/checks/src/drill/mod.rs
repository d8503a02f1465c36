//! Drills do the thing, on a canary copy or in a test tenant, with a stopwatch, and undo it.

pub mod rotation;
