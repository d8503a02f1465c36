//! The claim of a status list, as it stands in a token.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::status_list(bytes));
