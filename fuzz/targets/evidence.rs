//! Stored evidence, judged again: by its own check, and by some that its digest chooses.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::evidence(bytes));
