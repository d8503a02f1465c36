//! A certificate, as a server shows it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::certificate(bytes));
