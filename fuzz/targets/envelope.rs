//! DSSE envelopes, and the decision in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::envelope(bytes));
