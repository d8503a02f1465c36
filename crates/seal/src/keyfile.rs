//! A key at rest: its seed under a passphrase, in a JSON document.
//!
//! scrypt (RFC 7914) stretches the passphrase; ChaCha20-Poly1305 (RFC 8439) seals the seed and
//! binds every other member of the document to it.

use std::fmt;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::canonical::canonical_json;
use crate::encoding::{base64_decode, base64_encode};
use crate::key::{KeyId, PublicKey, SigningKey};

/// The `schema` of a key file.
pub const SCHEMA: &str = "countersign.key/1";

/// How many random bytes [`seal_key`] takes.
pub const ENTROPY_BYTES: usize = SALT_BYTES + NONCE_BYTES;

/// A private key under a passphrase, as it lies in a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    schema: String,
    name: String,
    public: PublicKey,
    key_id: KeyId,
    kdf: Kdf,
    cipher: String,
    nonce: String,
    ciphertext: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    log_n: u8,
    r: u32,
    p: u32,
    salt: String,
}

/// How much work a guess of the passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Work {
    /// 16 MiB: for keys that live as long as one run, and for passphrases that are random.
    Light,
    /// 128 MiB, as OWASP recommends: for keys of people.
    #[default]
    Standard,
}

/// Seals the seed of a key under a passphrase, with the standard work.
///
/// `entropy` must be random and never used again.
pub fn seal_key(
    seed: &[u8; 32],
    name: &str,
    passphrase: &str,
    entropy: [u8; ENTROPY_BYTES],
) -> Result<KeyFile, KeyFileError> {
    seal_key_with(seed, name, passphrase, entropy, Work::Standard)
}

/// Seals the seed of a key under a passphrase, with the stated work.
pub fn seal_key_with(
    seed: &[u8; 32],
    name: &str,
    passphrase: &str,
    entropy: [u8; ENTROPY_BYTES],
    work: Work,
) -> Result<KeyFile, KeyFileError> {
    let log_n = match work {
        Work::Light => 14,
        Work::Standard => 17,
    };
    seal_at(seed, name, passphrase, entropy, log_n)
}

fn seal_at(
    seed: &[u8; 32],
    name: &str,
    passphrase: &str,
    entropy: [u8; ENTROPY_BYTES],
    log_n: u8,
) -> Result<KeyFile, KeyFileError> {
    if NAME_BYTES_MAX < name.len() {
        return Err(KeyFileError::Malformed { member: "name" });
    }
    let (salt, nonce) = entropy.split_at(SALT_BYTES);
    let public = SigningKey::from_seed(*seed).public();
    let mut file = KeyFile {
        schema: SCHEMA.to_owned(),
        name: name.to_owned(),
        public,
        key_id: public.key_id(),
        kdf: Kdf { name: KDF.to_owned(), log_n, r: 8, p: 1, salt: base64_encode(salt) },
        cipher: CIPHER.to_owned(),
        nonce: base64_encode(nonce),
        ciphertext: String::new(),
    };
    let key = file.key(passphrase)?;
    let mut sealed = Zeroizing::new(seed.to_vec());
    key.seal_in_place_append_tag(file.nonce()?, Aad::from(file.bound()?), &mut *sealed)
        .map_err(|_| KeyFileError::WrongPassphrase)?;
    file.ciphertext = base64_encode(&sealed);
    Ok(file)
}

impl KeyFile {
    /// Reads a key file. A document that would cost too much memory to open is refused here.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyFileError> {
        if FILE_BYTES_MAX < bytes.len() {
            return Err(KeyFileError::Malformed { member: "(document)" });
        }
        let file: Self = serde_json::from_slice(bytes)
            .map_err(|_| KeyFileError::Malformed { member: "(document)" })?;
        file.check()?;
        Ok(file)
    }

    /// The document, for a file that only its owner can read.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// The key, if this is its passphrase.
    pub fn open(&self, passphrase: &str) -> Result<SigningKey, KeyFileError> {
        self.check()?;
        let mut sealed = Zeroizing::new(
            base64_decode(&self.ciphertext)
                .ok_or(KeyFileError::Malformed { member: "ciphertext" })?,
        );
        let seed = self
            .key(passphrase)?
            .open_in_place(self.nonce()?, Aad::from(self.bound()?), &mut sealed)
            .map_err(|_| KeyFileError::WrongPassphrase)?;
        let seed: &[u8; 32] =
            (&*seed).try_into().map_err(|_| KeyFileError::Malformed { member: "ciphertext" })?;
        let key = SigningKey::from_seed(*seed);
        if key.public() != self.public {
            return Err(KeyFileError::Malformed { member: "public" });
        }
        Ok(key)
    }

    /// The name that its owner gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half: readable without the passphrase, proven only by opening.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    fn check(&self) -> Result<(), KeyFileError> {
        let malformed = |member| Err(KeyFileError::Malformed { member });
        if self.schema != SCHEMA {
            return malformed("schema");
        }
        if self.key_id != self.public.key_id() {
            return malformed("key_id");
        }
        if self.cipher != CIPHER {
            return malformed("cipher");
        }
        if NAME_BYTES_MAX < self.name.len() {
            return malformed("name");
        }
        let Kdf { name, log_n, r, p, .. } = &self.kdf;
        let usual = (LOG_N_MIN..=LOG_N_MAX).contains(log_n) && *r == 8 && (1..=4).contains(p);
        if name != KDF || !usual {
            return malformed("kdf");
        }
        Ok(())
    }

    fn key(&self, passphrase: &str) -> Result<LessSafeKey, KeyFileError> {
        let unusable = KeyFileError::Malformed { member: "kdf" };
        let salt = base64_decode(&self.kdf.salt).filter(|salt| salt.len() == SALT_BYTES);
        let Some(salt) = salt else { return Err(unusable) };
        let Ok(params) = scrypt::Params::new(self.kdf.log_n, self.kdf.r, self.kdf.p) else {
            return Err(unusable);
        };
        let mut stretched = Zeroizing::new([0; 32]);
        if scrypt::scrypt(passphrase.as_bytes(), &salt, &params, &mut *stretched).is_err() {
            return Err(unusable);
        }
        UnboundKey::new(&CHACHA20_POLY1305, &*stretched).map(LessSafeKey::new).map_err(|_| unusable)
    }

    fn nonce(&self) -> Result<Nonce, KeyFileError> {
        base64_decode(&self.nonce)
            .and_then(|bytes| Nonce::try_assume_unique_for_key(&bytes).ok())
            .ok_or(KeyFileError::Malformed { member: "nonce" })
    }

    /// Everything but the ciphertext, in one order.
    fn bound(&self) -> Result<Vec<u8>, KeyFileError> {
        canonical_json(&Self { ciphertext: String::new(), ..self.clone() })
            .map_err(|_| KeyFileError::Malformed { member: "(document)" })
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyFile({}, {})", self.name, self.public)
    }
}

/// Why a key file does not give its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// A member that is not what a key file holds, or beyond its limit.
    #[error("not a usable key file: `{member}`")]
    Malformed {
        /// The member.
        member: &'static str,
    },
    /// The passphrase is another, or somebody changed the file.
    #[error("wrong passphrase, or the key file was changed")]
    WrongPassphrase,
}

const KDF: &str = "scrypt";
const CIPHER: &str = "chacha20-poly1305";
const SALT_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const NAME_BYTES_MAX: usize = 256;
const FILE_BYTES_MAX: usize = 16 * 1024;
const LOG_N_MIN: u8 = 10;
/// With `r = 8`: 256 MiB, so that a hostile file cannot eat the memory.
const LOG_N_MAX: u8 = 18;

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> KeyFile {
        let entropy = [5; ENTROPY_BYTES];
        seal_at(&[9; 32], "mira", "correct horse", entropy, LOG_N_MIN).unwrap()
    }

    #[test]
    fn only_the_passphrase_opens_a_key() {
        let file = KeyFile::parse(sealed().to_json().unwrap().as_bytes()).unwrap();
        let key = file.open("correct horse").unwrap();
        assert_eq!(key.public(), SigningKey::from_seed([9; 32]).public());
        assert_eq!(key.public(), file.public());
        assert_eq!(file.open("correct hors").unwrap_err(), KeyFileError::WrongPassphrase);
        assert_eq!(file.open("").unwrap_err(), KeyFileError::WrongPassphrase);
        assert!(!format!("{file:?}").contains(&file.ciphertext));
    }

    #[test]
    fn a_changed_member_does_not_open() {
        let other = SigningKey::from_seed([1; 32]).public();
        for changed in [
            KeyFile { name: "mara".into(), ..sealed() },
            KeyFile { public: other, key_id: other.key_id(), ..sealed() },
            KeyFile { nonce: base64_encode(&[1; NONCE_BYTES]), ..sealed() },
            KeyFile { ciphertext: base64_encode(&[1; 48]), ..sealed() },
        ] {
            assert_eq!(changed.open("correct horse").unwrap_err(), KeyFileError::WrongPassphrase);
        }
    }

    #[test]
    fn a_file_that_would_eat_memory_is_refused_unopened() {
        let file: serde_json::Value = serde_json::to_value(sealed()).unwrap();
        for (member, value) in
            [("log_n", 19), ("log_n", 63), ("log_n", 1), ("r", 1 << 20), ("p", 5)]
        {
            let mut hostile = file.clone();
            hostile["kdf"][member] = value.into();
            let error = KeyFile::parse(hostile.to_string().as_bytes()).unwrap_err();
            assert_eq!(error, KeyFileError::Malformed { member: "kdf" }, "{member} {value}");
        }
        assert!(KeyFile::parse(&vec![b' '; FILE_BYTES_MAX + 1]).is_err());
    }
}
