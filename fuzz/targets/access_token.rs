//! An access token, as it stands in an answer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::access_token(bytes));
