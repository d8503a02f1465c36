//! The server's own keys: one for the log, one for certificates and status, one for snapshots, one for what
//! is kept sealed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use countersign_checks::live::proof::Proofs;
use countersign_seal::{Digest, SigningKey};

use crate::entropy::{NoEntropy, random};
use crate::sealed::SealingKey;

/// The server's own keys.
#[derive(Debug)]
pub struct Keys {
    /// Signs checkpoints.
    pub log: SigningKey,
    /// Signs certificates and status lists.
    pub certificate: SigningKey,
    /// Signs snapshots and heartbeats.
    pub snapshot: SigningKey,
    /// Salts digests of guessable content.
    pub(crate) salt: Salt,
    /// Makes the tokens by which control of hosts is proved. It makes nothing else: whoever could
    /// have something else made with it could have a token made.
    pub(crate) proofs: Proofs,
    /// Seals credentials that are kept for a time.
    pub(crate) sealing: SealingKey,
}

/// A salt that does not show itself.
pub(crate) struct Salt([u8; 32]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[salt]")
    }
}

impl Salt {
    /// A digest of something guessable, under a purpose.
    pub(crate) fn digest(&self, purpose: &str, text: &str) -> Digest {
        Digest::keyed(&self.0, format!("{purpose}\0{text}").as_bytes())
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A key file cannot be read or written.
    #[error("key file `{path}` cannot be used")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No random bytes.
    #[error("no key can be made")]
    Entropy(#[from] NoEntropy),
}

impl Keys {
    /// Reads the keys of a folder, and makes those that are not there yet, readable for the owner only.
    pub fn open(folder: &Path) -> Result<Self, KeysError> {
        let wrong = |source| KeysError::File { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(wrong)?;
        let key = |name: &str| seed(&folder.join(name)).map(SigningKey::from_seed);
        Ok(Self {
            log: key("log.json")?,
            certificate: key("certificate.json")?,
            snapshot: key("snapshot.json")?,
            salt: Salt(seed(&folder.join("salt.json"))?),
            proofs: Proofs::new(seed(&folder.join("proof.json"))?),
            sealing: SealingKey::new(seed(&folder.join("canary.json"))?)
                .map_err(|it| wrong(std::io::Error::other(it)))?,
        })
    }
}

fn seed(path: &Path) -> Result<[u8; 32], KeysError> {
    let wrong = |source| KeysError::File { path: path.to_owned(), source };
    let malformed = || wrong(std::io::Error::other("not a key of this server"));
    match std::fs::read(path) {
        Ok(bytes) => {
            let file: serde_json::Value =
                serde_json::from_slice(&bytes).map_err(|_| malformed())?;
            let hex = file.get("seed").and_then(|it| it.as_str()).ok_or_else(malformed)?;
            let digest = Digest::from_hex(hex).map_err(|_| malformed())?;
            Ok(*digest.as_bytes())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let seed = random::<32>()?;
            let hex = Digest::from_bytes(seed).hex();
            let text = serde_json::json!({ "schema": "countersign.server-key/1", "seed": hex });
            write(path, text.to_string().as_bytes()).map_err(wrong)?;
            Ok(seed)
        }
        Err(error) => Err(wrong(error)),
    }
}

/// Writes a new file whole, then gives it its name: a crash leaves no half key.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let beside = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_made_once_and_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let first = Keys::open(folder.path()).unwrap();
        let second = Keys::open(folder.path()).unwrap();
        assert_eq!(first.log.public(), second.log.public());
        assert_ne!(first.log.public(), first.snapshot.public());
        let mode = std::fs::metadata(folder.path().join("log.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{first:?}").contains(&Digest::from_bytes(*first.salt.bytes()).hex()));
    }
}
