//! Manifests in TOML and JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::manifest(bytes));
