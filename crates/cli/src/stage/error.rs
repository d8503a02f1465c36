//! Why a stage cannot be had.

use std::path::PathBuf;

/// A stage cannot be prepared or started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// A client for HTTP cannot be made.
    #[error("a client for HTTP cannot be made")]
    Client(#[source] reqwest::Error),
    /// The settings cannot be used.
    #[error("the settings cannot be used")]
    Config(#[from] countersign_server::config::ConfigError),
    /// A file cannot be read or written.
    #[error("could not {action} `{path}`")]
    File {
        /// What was tried: `read`, `write`, `create`, `remove`.
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A person's key cannot be made or opened.
    #[error("the key of `{name}` cannot be used")]
    Key {
        /// Whose.
        name: String,
        /// Why.
        source: countersign_seal::keyfile::KeyFileError,
    },
    /// The server's keys cannot be had.
    #[error("the server's keys cannot be had")]
    Keys(#[from] countersign_server::keys::KeysError),
    /// This machine gives no randomness.
    #[error("this machine gives no randomness")]
    NoEntropy,
    /// No port of loopback is free.
    #[error("no port of loopback is free")]
    NoPort(#[source] std::io::Error),
    /// The sandbox cannot be started.
    #[error("the sandbox cannot be started")]
    Sandbox(#[from] countersign_sandbox::StartError),
    /// The server cannot be started.
    #[error("the server cannot be started")]
    Server(#[from] countersign_server::StartError),
    /// The settings cannot be edited.
    #[error("the settings cannot be edited")]
    Settings(#[from] toml_edit::TomlError),
    /// The world that the settings name cannot be set up.
    #[error("the world that the settings name cannot be set up")]
    World(#[from] countersign_server::live::LiveError),
    /// Something is not as a stage has it.
    #[error("{0}")]
    Shape(String),
}

impl StageError {
    /// A file could not be used.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
