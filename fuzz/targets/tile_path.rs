//! Paths of tiles: what is read is what would be written.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::tile_path(bytes));
