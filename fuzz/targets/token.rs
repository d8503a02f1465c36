//! Compact tokens. Lines are joined as well, so that seeds need not look like live ones.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::token(bytes));
