//! Archives in archives: tar, zip, gzip, zstd; bounded in depth, size and ratio.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::archive(bytes));
