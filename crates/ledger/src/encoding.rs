//! Base64 and the one way to write a number.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_seal::Digest;

pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(crate) fn hash_decode(text: &str) -> Option<Digest> {
    base64_decode(text)?.try_into().ok().map(Digest::from_bytes)
}

/// ASCII decimal without sign and leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let led = text.len() != 1 && text.starts_with('0');
    if plain && !led { text.parse().ok() } else { None }
}
