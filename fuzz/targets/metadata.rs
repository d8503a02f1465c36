//! Metadata of an authorization server: they count for one issuer alone.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::metadata(bytes));
