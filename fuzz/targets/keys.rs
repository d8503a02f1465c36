//! Key files and key sets.
#![no_main]

use countersign_seal::jwk;
use countersign_seal::keyfile::KeyFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _file = KeyFile::parse(bytes);
    let _set = jwk::parse_set(bytes);
});
