//! A user agent that is sent around and shown forms: it leaves its host only by a redirect.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::agent(bytes));
