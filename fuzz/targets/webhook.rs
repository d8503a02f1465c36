//! A signed message in every scheme: header lines, an empty line, the body.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::webhook(bytes));
