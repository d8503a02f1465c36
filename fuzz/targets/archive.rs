//! Archives in archives: tar, zip, gzip, zstd; bounded in depth, size and ratio.
#![no_main]

use countersign_checks::source::{DigestKey, Scanner};
use std::sync::LazyLock;

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    Scanner::new(DigestKey::new(b"a key for fuzzing, thirty-two by")).expect("our rules")
});
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _report = SCANNER.scan_bytes("sample", bytes);
});
