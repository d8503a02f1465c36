//! What an effect oracle answers, in both of its forms.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::effects(bytes));
