use std::error::Error;
use std::io;

/// A scan could not be done, so nothing is known of the source.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A file or folder could not be read.
    #[error("could not {action} `{path}`")]
    File {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A git repository is not there, damaged or incomplete.
    #[error("could not {action} {place} in the git repository `{repository}`")]
    Repository {
        /// What was attempted.
        action: &'static str,
        /// The object, reference or file on which it failed.
        place: String,
        /// The repository.
        repository: String,
        /// What was wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
}
