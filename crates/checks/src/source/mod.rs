//! Looks for secrets in source, in the whole history of a git repository and in artefacts.
//!
//! Three layers: keywords, patterns tried around them, then entropy, tests and allowlists. Beside them,
//! an integration's own live credentials are found by keyed digest. Nothing here holds a secret that
//! it found longer than it takes to digest it, and whatever was not read is in the report.

mod allow;
mod archive;
mod bounded;
mod digest;
mod engine;
mod entropy;
mod error;
mod fake;
mod finding;
mod go_syntax;
mod history;
mod known;
mod limits;
mod live_credential;
mod report;
mod repository;
mod rule;
mod rule_file;
mod scan;
mod session;
pub(crate) mod stream;
mod tar;
mod tree;
mod verify;
mod zip;

#[cfg(test)]
mod tests;

pub use digest::{DigestKey, InvalidKeyedDigest, KeyedDigest};
pub use error::ScanError;
pub use finding::{CommitReference, SecretFinding, Weight};
pub use known::KnownCredentials;
pub use limits::Limits;
pub use live_credential::{LiveCredentialError, LiveCredentials, LiveFingerprint, LiveForm};
pub use report::{LeftOut, NamedLeftOut, Reason, ScanReport};
pub use rule::RuleSet;
pub use rule_file::{RuleFileError, RuleProblem};
pub use scan::Scanner;

use std::path::Path;

/// Scans all files of a folder with our own rules.
pub fn scan_tree(path: &Path, key: &DigestKey) -> Result<ScanReport, SourceError> {
    Ok(Scanner::new(key.clone())?.scan_tree(path)?)
}

/// Scans a work tree and the whole history of its repository with our own rules.
pub fn scan_git(path: &Path, key: &DigestKey) -> Result<ScanReport, SourceError> {
    Ok(Scanner::new(key.clone())?.scan_git(path)?)
}

/// Scans what a release or an image holds with our own rules.
pub fn scan_artefact(path: &Path, key: &DigestKey) -> Result<ScanReport, SourceError> {
    Ok(Scanner::new(key.clone())?.scan_artefact(path)?)
}

/// Scans bytes at hand with our own rules.
pub fn scan_bytes(name: &str, bytes: &[u8], key: &DigestKey) -> Result<ScanReport, SourceError> {
    Ok(Scanner::new(key.clone())?.scan_bytes(name, bytes))
}

/// A scan could not be prepared or done.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The rules cannot be used.
    #[error(transparent)]
    Rules(#[from] RuleFileError),
    /// The source cannot be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
}
