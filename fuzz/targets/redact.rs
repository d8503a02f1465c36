//! What is written down of an answer: never a secret that is known.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::redact(bytes));
