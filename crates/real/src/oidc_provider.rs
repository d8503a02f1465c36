//! `oidc-provider` of npm.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::process::Process;
use crate::{Done, RealError, Talk, npm};

/// How a server is set up, where that is not as it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// Every update of a registration gives it another token.
    RotatesRegistrationTokens,
    /// Its access tokens carry their own proof (JWT).
    SignsTokens,
}

impl Trait {
    fn word(self) -> &'static str {
        match self {
            Self::RotatesRegistrationTokens => "rotates",
            Self::SignsTokens => "signs",
        }
    }
}

/// A running `oidc-provider`. It holds everything in memory.
#[derive(Debug)]
pub struct OidcProvider {
    /// Its issuer: `https://localhost:40123`.
    pub issuer: String,
    /// Its certificate, as PEM.
    pub ca: String,
    _folder: TempDir,
    _process: Process,
}

impl OidcProvider {
    /// The client that may introspect.
    pub const READER: &str = "countersign-reader";
    /// Its secret.
    pub const READER_SECRET: &str = concat!("plainly-fake-", "secret-of-the-reader");
    /// With which clients are registered.
    pub const INITIAL_ACCESS_TOKEN: &str = concat!("plainly-fake-", "initial-access-token");

    /// Starts it.
    pub fn start(traits: &[Trait]) -> Done<Self> {
        let scripts = npm::folder()?;
        let folder = tempfile::tempdir().map_err(RealError::new)?;
        let certificate = Certificate::write(folder.path())?;
        let words: Vec<&str> = traits.iter().map(|it| it.word()).collect();
        let mut command = Command::new("node");
        command
            .arg("oidc-provider.mjs")
            .current_dir(scripts)
            .env("CERTIFICATE", &certificate.file)
            .env("KEY", &certificate.key_file)
            .env("READER_SECRET", Self::READER_SECRET)
            .env("INITIAL_ACCESS_TOKEN", Self::INITIAL_ACCESS_TOKEN)
            .env("TRAITS", words.join(" "));
        let ready = |line: &str| line.strip_prefix("listening ")?.parse::<u16>().ok();
        let (process, port) = Process::start(command, npm::INSTALL, ready)?;
        let issuer = format!("https://localhost:{port}");
        Ok(Self { issuer, ca: certificate.pem, _folder: folder, _process: process })
    }

    /// Registers a client as somebody who may, and gives back what the server answers.
    pub async fn register(&self, client: &Value) -> Done<Value> {
        let bearer = format!("Bearer {}", Self::INITIAL_ACCESS_TOKEN);
        let place = format!("{}/reg", self.issuer);
        let talk = Talk::new(&self.ca)?;
        talk.post(&place, &[("authorization", &bearer)], client).await?.yes()
    }
}
