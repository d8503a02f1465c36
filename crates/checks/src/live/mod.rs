//! All that reaches outside: the clock, the network, chance.

pub mod ask;
pub mod certificate;
pub mod client;
pub mod clock;
pub mod dns;
pub mod entropy;
pub(crate) mod fields;
pub mod handshake;
pub mod heard;
pub mod hello;
pub mod hosts;
pub mod http;
pub mod limit;
pub mod plain;
pub mod proof;
pub mod prove;
pub mod resolve;
pub mod wire;

/// Base64 for addresses and tokens, without padding (RFC 4648, section 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
