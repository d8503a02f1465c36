//! `server.toml`: who may call, where things are, and what it is connected to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use countersign_checks::harness::WrongName;
use countersign_model::declare::manifest::Environment;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::Period;
use countersign_seal::{Digest, PublicKey};
use serde::Deserialize;
use url::Url;

/// The server's settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it listens: loopback, unless `open` is set.
    pub listen: SocketAddr,
    /// Whether it may listen on other addresses than loopback.
    #[serde(default)]
    pub open: bool,
    /// The folder of database and keys.
    pub data: PathBuf,
    /// Who certifies: an `https` address, the log's origin too.
    pub issuer: Url,
    /// Where its certificates count.
    pub environment: Environment,
    /// How long a gate may answer without hearing from here.
    #[serde(default = "lease")]
    pub lease: Period,
    /// How long it waits for gates and proofs, at most.
    #[serde(default = "wait")]
    pub wait: Period,
    /// How often the platform is compared with what was certified.
    #[serde(default = "every")]
    pub drift_every: Period,
    /// People.
    #[serde(default)]
    pub person: Vec<Person>,
    /// Gates.
    #[serde(default)]
    pub gate: Vec<GateCaller>,
    /// Platforms.
    #[serde(default)]
    pub platform: Platforms,
    /// How partners are reached; stand-ins are refused in production.
    #[serde(default)]
    pub talk: Talk,
    /// Our own side, which partners call while they are looked at.
    #[serde(default)]
    pub harness: Option<HarnessConfig>,
    /// Secrets that manifests name, each in a file.
    #[serde(default)]
    pub secrets: BTreeMap<String, PathBuf>,
    /// Local copies of repositories, by address.
    #[serde(default)]
    pub sources: BTreeMap<String, PathBuf>,
}

/// Somebody who may call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// A name: `mira`.
    pub id: String,
    /// What they may do.
    pub roles: BTreeSet<Role>,
    /// SHA-256 of their bearer token: `sha256:…`.
    pub token_sha256: Digest,
    /// The key that they sign reviews with.
    #[serde(default)]
    pub key: Option<PublicKey>,
}

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads everything.
    Auditor,
    /// Certifies, asks for waivers, submits and checks.
    Owner,
    /// Submits and checks.
    Partner,
    /// Withdraws trust and drills it.
    Responder,
    /// Decides.
    Reviewer,
}

/// A gate that may call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateCaller {
    /// Its name.
    pub name: String,
    /// Its lane.
    pub lane: Lane,
    /// SHA-256 of its bearer token.
    pub token_sha256: Digest,
}

/// The platforms.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platforms {
    /// Where it counts.
    #[serde(default)]
    pub production: Option<PlatformConfig>,
    /// Where it is tried.
    #[serde(default)]
    pub test: Option<PlatformConfig>,
}

/// One platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformConfig {
    /// Which connector: `sandbox`.
    pub kind: String,
    /// Its address.
    pub url: Url,
    /// The file with the token that reads.
    pub reader_token_file: PathBuf,
    /// The file with the token that kills.
    pub killer_token_file: PathBuf,
}

/// How partners are reached.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Talk {
    /// Stand-in hosts.
    #[serde(default)]
    pub resolve: BTreeMap<String, SocketAddr>,
    /// A certificate authority to trust beside the public ones.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Hosts whose control is taken for proved.
    #[serde(default)]
    pub proved: BTreeSet<String>,
}

/// Our own side: an https server that plays issuers of tokens and other peers for partners.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HarnessConfig {
    /// Its origin as partners reach it: `https://probe.example.com`.
    pub url: Url,
    /// Where it listens: loopback, unless `open` is set.
    pub listen: SocketAddr,
    /// The file with its certificate, and those up to an authority, as PEM.
    pub certificate: PathBuf,
    /// The file with its private key, as PEM.
    pub key: PathBuf,
    /// Names below its own under which something is wrong on purpose: `docs/harness.md`.
    #[serde(default)]
    pub names: BTreeMap<WrongName, NameConfig>,
}

/// What the harness shows under a name where something is wrong on purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameConfig {
    /// The file with the certificate, and those up to an authority, as PEM.
    pub certificate: PathBuf,
    /// The file with its private key, as PEM; `old-tls` needs none.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

fn lease() -> Period {
    Period::from_seconds(5)
}

fn wait() -> Period {
    Period::from_seconds(10)
}

/// A change behind our back is told within half a minute, and a platform is asked twice a minute for
/// each integration.
fn every() -> Period {
    Period::from_seconds(30)
}

/// Settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("the settings are not understood")]
    Syntax(#[from] toml::de::Error),
    /// A rule that needs more than one value.
    #[error("{0}")]
    Rule(String),
}

impl Config {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    /// Holds the settings against the rules that need more than one value.
    pub fn check(&self) -> Result<(), ConfigError> {
        let rule = |text: String| Err(ConfigError::Rule(text));
        if !self.open && !self.listen.ip().is_loopback() {
            return rule(format!(
                "`listen` is {}; set `open = true` to leave loopback",
                self.listen
            ));
        }
        if let Some(harness) = &self.harness {
            let keyless =
                |it: &(&WrongName, &NameConfig)| it.1.key.is_none() && *it.0 != WrongName::OldTls;
            if let Some((name, _)) = harness.names.iter().find(keyless) {
                return rule(format!("`harness.names.{}` has no `key`", name.word()));
            }
            if harness.url.scheme() != "https" || harness.url.path() != "/" {
                return rule(format!(
                    "`harness.url` is `{}`; it is an `https` origin without a path",
                    harness.url
                ));
            }
            if !self.open && !harness.listen.ip().is_loopback() {
                return rule(format!(
                    "`harness.listen` is {}; set `open = true` to leave loopback",
                    harness.listen
                ));
            }
        }
        let talk = &self.talk;
        let stands_in = !talk.resolve.is_empty() || talk.ca.is_some() || !talk.proved.is_empty();
        if self.environment == Environment::Production && stands_in {
            return rule(
                "`talk.resolve`, `talk.ca` and `talk.proved` are refused where `environment` is `production`"
                    .to_owned(),
            );
        }
        let mut tokens = BTreeSet::new();
        let mut names = BTreeSet::new();
        let people = self.person.iter().map(|it| (&it.id, it.token_sha256));
        let gates = self.gate.iter().map(|it| (&it.name, it.token_sha256));
        for (name, token) in people.chain(gates) {
            if name.is_empty() || !names.insert(name) {
                return rule(format!("the name `{name}` is empty or used twice"));
            }
            if !tokens.insert(token) {
                return rule(format!("the token of `{name}` is somebody else's too"));
            }
        }
        let mut keys = BTreeSet::new();
        for person in &self.person {
            if person.key.is_some_and(|it| !keys.insert(it)) {
                return rule(format!("the key of `{}` is somebody else's too", person.id));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "listen = \"127.0.0.1:0\"\ndata = \"data\"\nissuer = \"https://cs.example\"\nenvironment = \"sandbox\"\n";

    #[test]
    fn settings_are_read_or_refused_with_a_reason() {
        assert_eq!(Config::parse(TEXT).unwrap().drift_every, Period::from_seconds(30));
        let harness = |url: &str, listen: &str| {
            format!(
                "[harness]\nurl = \"{url}\"\nlisten = \"{listen}\"\ncertificate = \"c\"\nkey = \"k\"\n"
            )
        };
        assert!(
            Config::parse(&format!("{TEXT}{}", harness("https://p.example", "127.0.0.1:1")))
                .is_ok()
        );
        let digest = Digest::of(b"token");
        let person = |id: &str| {
            format!("[[person]]\nid = \"{id}\"\nroles = []\ntoken_sha256 = \"{digest}\"\n")
        };
        let table = [
            (TEXT.replace("127.0.0.1", "0.0.0.0"), "set `open = true`"),
            (format!("{TEXT}surprise = 1\n"), "unknown field"),
            (format!("{TEXT}{}", harness("http://probe.example", "127.0.0.1:1")), "`https` origin"),
            (format!("{TEXT}{}", harness("https://probe.example", "0.0.0.0:1")), "harness.listen"),
            (
                format!(
                    "{TEXT}{}[harness.names.revoked]\ncertificate = \"r\"\n",
                    harness("https://p.example", "127.0.0.1:1")
                ),
                "`harness.names.revoked` has no `key`",
            ),
            (
                format!(
                    "{TEXT}{}[harness.names.stale]\ncertificate = \"r\"\n",
                    harness("https://p.example", "127.0.0.1:1")
                ),
                "unknown variant",
            ),
            (format!("{TEXT}{}{}", person("mira"), person("tom")), "somebody else's too"),
            (format!("{TEXT}{}{}", person("mira"), person("mira")), "used twice"),
            (
                format!("{}[talk]\nca = \"ca.pem\"\n", TEXT.replace("sandbox", "production")),
                "are refused where",
            ),
            (
                format!(
                    "{}[talk]\nproved = [\"a.example\"]\n",
                    TEXT.replace("sandbox", "production")
                ),
                "are refused where",
            ),
        ];
        for (text, expected) in table {
            let error = Config::parse(&text).unwrap_err();
            let said =
                std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert!(format!("{error} {said}").contains(expected), "{error} {said}");
        }
    }
}
