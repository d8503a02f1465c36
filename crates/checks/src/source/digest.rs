use std::fmt;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};

/// The key under which secrets are digested, so that two places can be compared without the secret.
///
/// Whoever holds the key can test guesses, so it is kept like a secret and never printed.
#[derive(Clone)]
pub struct DigestKey(hmac::Key);

impl DigestKey {
    /// A key from 32 or so random bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The digest of one secret under this key.
    pub fn digest(&self, secret: &[u8]) -> KeyedDigest {
        self.digest_for("secret", secret)
    }

    /// The digest for one purpose; digests of different purposes cannot be compared.
    pub(super) fn digest_for(&self, purpose: &str, bytes: &[u8]) -> KeyedDigest {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(b"countersign.source/1 ");
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(bytes);
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        KeyedDigest(digest)
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(…)")
    }
}

/// HMAC-SHA256 of a secret: equal for equal secrets under one key, and useless without the key.
///
/// Written `hmac-sha256:` and 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KeyedDigest([u8; 32]);

const PREFIX: &str = "hmac-sha256:";

impl KeyedDigest {
    /// The bare digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight bytes as a number.
    pub(super) fn number(&self) -> u64 {
        self.0.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

impl fmt::Display for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<KeyedDigest> for String {
    fn from(digest: KeyedDigest) -> Self {
        digest.to_string()
    }
}

/// A text that is not a keyed digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a keyed digest: expected `hmac-sha256:` and 64 hexadecimal digits")]
pub struct InvalidKeyedDigest;

impl TryFrom<String> for KeyedDigest {
    type Error = InvalidKeyedDigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.strip_prefix(PREFIX).ok_or(InvalidKeyedDigest)?;
        if digits.len() != 64 || !digits.bytes().all(|it| it.is_ascii_hexdigit()) {
            return Err(InvalidKeyedDigest);
        }
        let mut digest = [0; 32];
        for (at, byte) in digest.iter_mut().enumerate() {
            let pair = digits.get(at * 2..at * 2 + 2).ok_or(InvalidKeyedDigest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| InvalidKeyedDigest)?;
        }
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_survives_its_text_and_its_key_is_never_printed() {
        let key = DigestKey::new(b"0123456789abcdef0123456789abcdef");
        let digest = key.digest(b"a secret");
        assert_eq!(KeyedDigest::try_from(digest.to_string()), Ok(digest));
        assert_ne!(DigestKey::new(b"another").digest(b"a secret"), digest);
        assert_eq!(format!("{key:?}"), "DigestKey(…)");
        assert_eq!(KeyedDigest::try_from("hmac-sha256:00".to_owned()), Err(InvalidKeyedDigest));
    }
}
