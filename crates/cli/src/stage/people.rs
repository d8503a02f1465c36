//! The people of a stage: each has a token, and whoever decides has a key.

use std::path::{Path, PathBuf};

use countersign_seal::keyfile::{ENTROPY_BYTES, KeyFile, Work, seal_key_with};
use countersign_seal::{PublicKey, SigningKey};
use countersign_server::config::Role;

use super::{StageError, seat};
use crate::clock;

/// Who is on a stage: name, roles, and whether they sign reviews.
pub(crate) const PEOPLE: [(&str, &[Role], bool); 6] = [
    ("ada", &[Role::Reviewer], true),
    ("ben", &[Role::Reviewer], true),
    ("olga", &[Role::Owner], false),
    ("pat", &[Role::Partner], false),
    ("paul", &[Role::Auditor], false),
    ("rita", &[Role::Responder], false),
];

/// One of them.
#[derive(Clone)]
pub(crate) struct Person {
    /// The name.
    pub(crate) name: &'static str,
    /// What they may do.
    pub(crate) roles: &'static [Role],
    /// The bearer token.
    pub(crate) token: String,
    /// Where the token is.
    pub(crate) token_file: PathBuf,
    /// The key that they sign reviews with.
    pub(crate) key: Option<PersonKey>,
}

/// A person's key, as it lies in the folder.
#[derive(Clone)]
pub(crate) struct PersonKey {
    /// Where it is.
    pub(crate) file: PathBuf,
    /// Where its passphrase is.
    pub(crate) passphrase_file: PathBuf,
    sealed: KeyFile,
    passphrase: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PersonKey {
    /// The public half.
    pub(crate) fn public(&self) -> PublicKey {
        self.sealed.public()
    }

    /// The key itself.
    pub(crate) fn open(&self) -> Result<SigningKey, StageError> {
        let name = self.sealed.name().to_owned();
        self.sealed.open(&self.passphrase).map_err(|source| StageError::Key { name, source })
    }
}

/// Everybody, with what was not there yet made.
pub(super) fn enroll(folder: &Path) -> Result<Vec<Person>, StageError> {
    let each = PEOPLE.into_iter().map(|(name, roles, signs)| {
        let token_file = folder.join("tokens").join(name);
        let token = seat::kept(&token_file, seat::token)?.trim().to_owned();
        let key = if signs { Some(key(folder, name)?) } else { None };
        Ok(Person { name, roles, token, token_file, key })
    });
    each.collect()
}

fn key(folder: &Path, name: &str) -> Result<PersonKey, StageError> {
    let wrong = |source| StageError::Key { name: name.to_owned(), source };
    let passphrase_file = folder.join("keys").join(format!("{name}.passphrase"));
    let passphrase = seat::kept(&passphrase_file, seat::token)?.trim().to_owned();
    let file = folder.join("keys").join(format!("{name}.json"));
    let text = seat::kept(&file, || {
        let seed = clock::entropy::<32>().ok_or(StageError::NoEntropy)?;
        let entropy = clock::entropy::<ENTROPY_BYTES>().ok_or(StageError::NoEntropy)?;
        // The passphrase is random, so guessing it costs enough already.
        let sealed =
            seal_key_with(&seed, name, &passphrase, entropy, Work::Light).map_err(wrong)?;
        sealed.to_json().map_err(|it| StageError::Shape(it.to_string()))
    })?;
    let sealed = KeyFile::parse(text.as_bytes()).map_err(wrong)?;
    Ok(PersonKey { file, passphrase_file, sealed, passphrase })
}
