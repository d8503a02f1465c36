//! A request that came to the harness without TLS, and what its scripts look at.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::harness(bytes));
