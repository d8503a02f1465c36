//! From the settings to the world.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use countersign_checks::harness::{Certificates, Harness, HarnessError};
use countersign_checks::live::client::TalkConfig;
use countersign_checks::platform::sandbox::{SandboxPlatform, SandboxSettings};
use countersign_checks::platform::{Platform, PlatformError};
use countersign_checks::secrets::Secrets;

use super::LiveWorld;
use crate::clock::{Clock, LiveClock};
use crate::config::{Config, HarnessConfig, PlatformConfig};

/// How long one question to a platform may take.
const PLATFORM_MAX: Duration = Duration::from_secs(5);
/// The longest file that holds a token or a secret.
const SECRET_BYTES_MAX: usize = 64 * 1024;

/// The world cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A file cannot be read.
    #[error("`{path}` cannot be read")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A connector does not exist.
    #[error("there is no connector `{0}`")]
    Kind(String),
    /// Our own side cannot be set up.
    #[error("the harness cannot be set up")]
    Harness(#[from] HarnessError),
    /// A connector cannot be set up.
    #[error("the connector cannot be set up")]
    Platform(#[from] PlatformError),
}

pub(super) fn world(config: &Config, clock: Clock) -> Result<LiveWorld, LiveError> {
    let ca = config.talk.ca.as_deref().map(bytes).transpose()?;
    let talk = TalkConfig {
        resolve: config.talk.resolve.clone(),
        ca,
        proved: config.talk.proved.clone(),
        ..TalkConfig::default()
    };
    let connect =
        |it: &Option<PlatformConfig>| it.as_ref().map(|it| platform(it, &talk, &clock)).transpose();
    let mut secrets = Vec::with_capacity(config.secrets.len());
    for (name, path) in &config.secrets {
        secrets.push((name.clone(), text(path)?));
    }
    Ok(LiveWorld {
        harness: config.harness.as_ref().map(|it| harness(it, &config.data)).transpose()?,
        production: connect(&config.platform.production)?,
        test: connect(&config.platform.test)?,
        talk,
        secrets: Secrets::new(secrets),
        sources: config.sources.clone(),
        clock,
    })
}

/// Starts our own side; its issuers keep their keys beside the database.
fn harness(config: &HarnessConfig, data: &Path) -> Result<Arc<Harness>, LiveError> {
    let mut certificates =
        Certificates::from_pem(&bytes(&config.certificate)?, &bytes(&config.key)?)?;
    for (name, it) in &config.names {
        let key = it.key.as_deref().map(bytes).transpose()?;
        certificates = certificates.with(*name, &bytes(&it.certificate)?, key.as_deref())?;
    }
    let url = config.url.as_str().trim_end_matches('/').to_owned();
    let harness = Harness::listen(url, config.listen, certificates)?;
    let folder = data.join("issuers");
    let kept = harness.keep_issuers(&folder);
    kept.map_err(|source| LiveError::File { path: folder, source })?;
    Ok(harness)
}

fn platform(
    config: &PlatformConfig,
    talk: &TalkConfig,
    clock: &Clock,
) -> Result<Arc<dyn Platform>, LiveError> {
    if config.kind != "sandbox" {
        return Err(LiveError::Kind(config.kind.clone()));
    }
    let settings = SandboxSettings {
        issuer: config.url.as_str().trim_end_matches('/').to_owned(),
        reader: text(&config.reader_token_file)?,
        killer: text(&config.killer_token_file)?,
        resolve: talk.resolve.clone(),
        ca: talk.ca.clone(),
        limit: PLATFORM_MAX,
    };
    let clock = Arc::new(LiveClock::start(clock.clone()));
    Ok(Arc::new(SandboxPlatform::new(settings, clock)?))
}

fn bytes(path: &Path) -> Result<Vec<u8>, LiveError> {
    std::fs::read(path).map_err(|source| LiveError::File { path: path.to_owned(), source })
}

/// A token or secret; white space around it is none of it.
fn text(path: &Path) -> Result<String, LiveError> {
    let wrong = |why: &str| LiveError::File {
        path: path.to_owned(),
        source: std::io::Error::other(why.to_owned()),
    };
    let bytes = bytes(path)?;
    if SECRET_BYTES_MAX < bytes.len() {
        return Err(wrong("it is too long"));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not text"))?;
    Ok(text.trim().to_owned())
}
