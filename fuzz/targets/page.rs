//! Pages with forms, and cookies, as a user agent meets them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::page(bytes));
