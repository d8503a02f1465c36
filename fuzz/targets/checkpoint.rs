//! Signed notes and checkpoints, as other people's logs write them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::checkpoint(bytes));
