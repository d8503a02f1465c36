//! A file or TXT records with proofs of a host: only what we issued proves anything.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::proof(bytes));
