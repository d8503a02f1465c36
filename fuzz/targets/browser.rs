//! A browser that signs in: its cookies stay with their site.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::browser(bytes));
