//! Manifests in TOML and JSON.
#![no_main]

use countersign_model::declare::{Format, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for format in [Format::Toml, Format::Json] {
            let _parsed = parse(text, format);
        }
    }
});
