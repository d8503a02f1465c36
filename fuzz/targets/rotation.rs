//! The log and the key set that are watched while keys are changed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::rotation(bytes));
