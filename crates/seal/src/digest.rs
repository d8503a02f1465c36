//! SHA-256 digests, the names by which documents refer to each other.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::{digest, hmac};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::encoding::{hex_decode_32, hex_encode};

/// A SHA-256 digest, written `sha256:` and 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_parts(&[bytes])
    }

    /// The digest of all parts, one after the other, as if they had been joined.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(part);
        }
        Self::copied(context.finish().as_ref())
    }

    /// The HMAC-SHA-256 of `bytes` under `key`: a digest that cannot be guessed without the key.
    ///
    /// For content that has few possible values, such as addresses and secrets.
    pub fn keyed(key: &[u8], bytes: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self::copied(hmac::sign(&key, bytes).as_ref())
    }

    /// The digest with these 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lowercase hexadecimal digits, without the prefix.
    pub fn hex(&self) -> String {
        hex_encode(&self.0)
    }

    /// Reads 64 lowercase hexadecimal digits without the prefix.
    pub fn from_hex(text: &str) -> Result<Self, InvalidDigest> {
        hex_decode_32(text).map(Self).ok_or(InvalidDigest)
    }

    /// The first and last four digits, for people: `5f0c…e91a`.
    pub fn short(&self) -> String {
        let hex = self.hex();
        format!("{}…{}", &hex[..4], &hex[60..])
    }

    fn copied(bytes: &[u8]) -> Self {
        let mut copy = [0; 32];
        copy.copy_from_slice(bytes);
        Self(copy)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        Self::from_hex(text.strip_prefix(PREFIX).ok_or(InvalidDigest)?)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A text that is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` and 64 lowercase hexadecimal digits")]
pub struct InvalidDigest;

const PREFIX: &str = "sha256:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_what_it_writes() {
        let digest = Digest::of(b"abc");
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse(), Ok(digest));
        assert_eq!(digest.short(), "ba78…15ad");
        assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{text}\""));
        assert_eq!(Digest::of_parts(&[b"a", b"", b"bc"]), digest);
    }

    #[test]
    fn other_spellings_are_refused() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for text in [
            hex.to_owned(),
            format!("sha256:{}", hex.to_uppercase()),
            format!("sha256:{}", &hex[1..]),
            format!("sha256:{hex}0"),
            format!("sha512:{hex}"),
            String::new(),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(InvalidDigest), "parsing {text:?}");
        }
    }

    #[test]
    fn a_keyed_digest_is_the_hmac_of_rfc_4231_case_2() {
        let digest = Digest::keyed(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            digest.hex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
