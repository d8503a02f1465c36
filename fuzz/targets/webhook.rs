//! Headers of signed webhooks.
#![no_main]

use countersign_seal::SigningKey;
use countersign_seal::scheme::standard_webhooks::{Headers, Key, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(4, |it| *it == b'\n').map(std::str::from_utf8);
    let mut next = || parts.next().and_then(Result::ok);
    let headers = Headers { id: next(), timestamp: next(), signature: next() };
    let key = Key::Public(SigningKey::from_seed([7; 32]).public());
    let _verified = verify(headers, bytes, &[key], 1_795_000_000, 300);
});
