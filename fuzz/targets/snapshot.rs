//! Snapshots, as a gate is offered them: whole ones, and bytes that the right key signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::snapshot(bytes));
