//! Credentials that are kept for a time, sealed: AES-256-GCM-SIV (RFC 8452) under a key of their own, bound to
//! what they were kept for. See `spec/canaries.md`.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use countersign_checks::canaries::Canaries;
use countersign_model::id::{DrillId, IntegrationId};
use zeroize::Zeroizing;

/// The first byte of what is sealed: which form it has.
const FORM: u8 = 1;
/// How long the tag is.
const TAG_LEN: usize = 16;

/// The key that seals. It never shows.
pub(crate) struct SealingKey(RandomizedNonceKey);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[sealing key]")
    }
}

/// Credentials cannot be sealed. What they are is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("credentials cannot be sealed")]
pub(crate) struct SealError;

impl SealingKey {
    /// The key of these bytes.
    pub(crate) fn new(bytes: [u8; 32]) -> Result<Self, SealError> {
        let bytes = Zeroizing::new(bytes);
        RandomizedNonceKey::new(&AES_256_GCM_SIV, bytes.as_slice()).map(Self).map_err(|_| SealError)
    }

    /// Seals the credentials of a drill.
    pub(crate) fn seal(
        &self,
        whose: (&IntegrationId, &DrillId),
        canaries: &Canaries,
    ) -> Result<Vec<u8>, SealError> {
        let plain = canaries.to_bytes().map_err(|_| SealError)?;
        // Large enough for the tag, so that nothing is copied in the clear and left behind.
        let mut sealed = Zeroizing::new(Vec::with_capacity(plain.len() + TAG_LEN));
        sealed.extend_from_slice(&plain);
        let nonce = self.0.seal_in_place_append_tag(bound(whose), &mut *sealed);
        let nonce = nonce.map_err(|_| SealError)?;
        Ok([&[FORM], nonce.as_ref().as_slice(), sealed.as_slice()].concat())
    }

    /// Opens them again; none where they are another drill's, were changed, or are sealed with another key.
    pub(crate) fn open(
        &self,
        whose: (&IntegrationId, &DrillId),
        sealed: &[u8],
    ) -> Option<Canaries> {
        let rest = sealed.strip_prefix(&[FORM])?;
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = Zeroizing::new(rest.to_vec());
        let opened = self.0.open_in_place(nonce, bound(whose), &mut plain).ok()?;
        Canaries::from_bytes(opened).ok()
    }
}

/// What they are bound to.
fn bound((integration, drill): (&IntegrationId, &DrillId)) -> Aad<String> {
    Aad::from(format!("{}\0{integration}\0{drill}", countersign_checks::canaries::CANARIES_SCHEMA))
}

#[cfg(test)]
mod tests {
    use countersign_checks::platform::{ClientCopy, Seed};
    use countersign_model::time::Timestamp;

    use super::*;

    fn canaries() -> Canaries {
        let copy = ClientCopy::new("acme.copy-1".to_owned(), Seed::new([7; 32]));
        Canaries::new(copy, "acme").token("a-token-that-opens", None)
    }

    #[test]
    fn only_their_own_drill_and_key_open_them() {
        let at = Timestamp::from_seconds(0);
        let (integration, drill) = (IntegrationId::new(at, [1; 10]), DrillId::new(at, [2; 10]));
        let (other, another) = (IntegrationId::new(at, [3; 10]), DrillId::new(at, [4; 10]));
        let key = SealingKey::new([9; 32]).unwrap();
        let sealed = key.seal((&integration, &drill), &canaries()).unwrap();
        let opened = key.open((&integration, &drill), &sealed).unwrap();
        assert_eq!(*opened.to_bytes().unwrap(), *canaries().to_bytes().unwrap());
        for word in [&b"acme"[..], b"a-token-that-opens", b"canaries"] {
            assert!(!sealed.windows(word.len()).any(|it| it == word), "sealed shows {word:?}");
        }
        // The same credentials are sealed to other bytes each time.
        assert_ne!(sealed, key.seal((&integration, &drill), &canaries()).unwrap());
        assert!(key.open((&other, &drill), &sealed).is_none());
        assert!(key.open((&integration, &another), &sealed).is_none());
        assert!(SealingKey::new([8; 32]).unwrap().open((&integration, &drill), &sealed).is_none());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(key.open((&integration, &drill), &changed).is_none(), "byte {place}");
            assert!(key.open((&integration, &drill), &sealed[..place]).is_none(), "{place} bytes");
        }
        assert_eq!(format!("{key:?}"), "[sealing key]");
    }
}
