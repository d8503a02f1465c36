//! Prepares the folder: settings, keys, people, tokens, manifests, a port.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use countersign_ledger::VerifierKey;
use countersign_model::enforce::snapshot::{Approver, Lane};
use countersign_model::time::Period;
use countersign_sandbox::Kind;
use countersign_sandbox::manifests::{Version, text};
use countersign_server::auth::person_id;
use countersign_server::config::Config;
use countersign_server::keys::Keys;

use super::people::{Person, enroll};
use super::{StageError, seat, settings};
use crate::clock;

/// How a new stage is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// How long a gate may answer without hearing from the server.
    pub(crate) lease: Period,
    /// How long the server waits for gates and proofs.
    pub(crate) wait: Period,
}

impl Default for Options {
    fn default() -> Self {
        Self { lease: Period::from_seconds(5), wait: Period::from_seconds(10) }
    }
}

/// A prepared folder.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Where it is, as an absolute path.
    pub(crate) folder: PathBuf,
    /// The server's settings.
    pub(crate) config_file: PathBuf,
    /// Where the server listens, also after a restart.
    pub(crate) listen: SocketAddr,
    /// The issuer of certificates.
    pub(crate) issuer: String,
    /// Everybody.
    pub(crate) people: Vec<Person>,
    /// The gates.
    pub(crate) gates: Vec<GateSeat>,
    /// What a gate pins of the people who decide.
    pub(crate) approvers: Vec<Approver>,
    /// Whether the folder had no settings before.
    pub(crate) is_new: bool,
    /// The server's keys: public halves are pinned at the gates.
    pub(crate) keys: Keys,
}

/// A gate's place: the lane that it guards and what it signs in with.
#[derive(Clone)]
pub(crate) struct GateSeat {
    /// Its name at the server.
    pub(crate) name: &'static str,
    /// Its lane.
    pub(crate) lane: Lane,
    /// Its bearer token.
    pub(crate) token: String,
}

impl std::fmt::Debug for GateSeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GateSeat").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Stage {
    /// The server's address.
    pub(crate) fn server(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// The name of the server's log: the host of the issuer.
    pub(crate) fn origin(&self) -> &str {
        origin(&self.issuer)
    }

    /// One of the people.
    pub(crate) fn person(&self, name: &str) -> Result<&Person, StageError> {
        let known = self.people.iter().find(|it| it.name == name);
        known.ok_or_else(|| StageError::Shape(format!("nobody here is called `{name}`")))
    }

    /// Removes what belongs to a stage from its folder, and the folder where nothing else is in it.
    pub(crate) fn remove(&self) -> Result<(), StageError> {
        for name in ["data", "keys", "manifests", "sandbox", "tokens"] {
            absent(&self.folder.join(name), |it| std::fs::remove_dir_all(it))?;
        }
        for name in ["keys.json", "log.vkey"] {
            absent(&self.folder.join(name), |it| std::fs::remove_file(it))?;
        }
        absent(&self.config_file, |it| std::fs::remove_file(it))?;
        // Other people's files stay, and with them the folder.
        let _still_in_use = std::fs::remove_dir(&self.folder);
        Ok(())
    }
}

/// Makes sure that something is not there.
pub(super) fn absent(
    path: &Path,
    remove: impl FnOnce(&Path) -> std::io::Result<()>,
) -> Result<(), StageError> {
    match remove(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StageError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Writes down whom to trust, for whoever verifies a document of this stage later.
fn pin(folder: &Path, keys: &Keys, issuer: &str, approvers: &[Approver]) -> Result<(), StageError> {
    let shape = |it: &dyn std::fmt::Display| StageError::Shape(it.to_string());
    let log = VerifierKey::log(origin(issuer), keys.log.public()).map_err(|it| shape(&it))?;
    let pins = countersign_server::pack::Keys {
        schema: countersign_server::pack::document::KEYS_SCHEMA.to_owned(),
        issuer: issuer.to_owned(),
        certificate: keys.certificate.public(),
        snapshot: keys.snapshot.public(),
        log: log.to_string(),
        approvers: approvers.to_vec(),
    };
    let text = serde_json::to_string_pretty(&pins).map_err(|it| shape(&it))?;
    seat::replace(&folder.join("keys.json"), &format!("{text}\n"))?;
    seat::replace(&folder.join("log.vkey"), &format!("{log}\n"))
}

/// The name of a server's log: the host of its issuer.
fn origin(issuer: &str) -> &str {
    issuer.split_once("://").map_or(issuer, |(_, host)| host)
}

/// Prepares a folder, or opens one that was prepared before: what is there stays as it is.
pub(crate) fn prepare(folder: &Path, options: Options) -> Result<Stage, StageError> {
    seat::folder(folder)?;
    let folder = std::fs::canonicalize(folder).map_err(StageError::file("read", folder))?;
    for name in
        ["data", "keys", "manifests/changed", "manifests/wrong", "sandbox/secrets", "tokens"]
    {
        seat::folder(&folder.join(name))?;
    }
    let keys = Keys::open(&folder.join("data/keys"))?;
    let people = enroll(&folder)?;
    let gates = gates(&folder)?;
    for kind in Kind::ALL {
        let file = format!("{}.toml", kind.slug());
        let versions =
            [("", Version::Right), ("changed", Version::Changed), ("wrong", Version::Wrong)];
        for (place, version) in versions {
            let path = folder.join("manifests").join(place).join(&file);
            seat::kept(&path, || Ok(text(kind, version)))?;
        }
    }
    let config_file = folder.join("server.toml");
    let is_new = !config_file.exists();
    // Last, so that settings never name what is not there.
    let written =
        seat::kept(&config_file, || settings::write(&folder, options, free()?, &people, &gates))?;
    let config = Config::parse(&written)?;
    let approvers: Vec<Approver> = people
        .iter()
        .filter_map(|it| {
            let key = it.key.as_ref()?.public();
            Some(Approver { person: person_id(&keys, it.name), key })
        })
        .collect();
    let issuer = config.issuer.as_str().trim_end_matches('/').to_owned();
    pin(&folder, &keys, &issuer, &approvers)?;
    Ok(Stage {
        config_file,
        listen: config.listen,
        issuer,
        people,
        gates,
        approvers,
        is_new,
        keys,
        folder,
    })
}

fn gates(folder: &Path) -> Result<Vec<GateSeat>, StageError> {
    let each = [("production", Lane::Certified), ("test", Lane::Trial)].into_iter();
    each.map(|(name, lane)| {
        let file = folder.join("tokens").join(format!("gate-{name}"));
        let token = seat::kept(&file, seat::token)?.trim().to_owned();
        Ok(GateSeat { name, lane, token })
    })
    .collect()
}

/// A free port of loopback, where one can be had below those that systems hand out for calls, so that no
/// call of somebody else's takes it while the server restarts.
fn free() -> Result<SocketAddr, StageError> {
    let loopback = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for _ in 0..TRIES_MAX {
        let bytes = clock::entropy::<2>().ok_or(StageError::NoEntropy)?;
        let port = PORT_FIRST + u16::from_be_bytes(bytes) % PORTS;
        if TcpListener::bind(loopback(port)).is_ok() {
            return Ok(loopback(port));
        }
    }
    let any = TcpListener::bind(loopback(0)).and_then(|it| it.local_addr());
    any.map_err(StageError::NoPort)
}

const TRIES_MAX: u32 = 50;
const PORT_FIRST: u16 = 20_000;
const PORTS: u16 = 12_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_prepared_once_and_opened_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let first = prepare(&folder.path().join("stage"), Options::default()).unwrap();
        let options = Options { lease: Period::from_seconds(1), ..Options::default() };
        let second = prepare(&first.folder, options).unwrap();
        assert!(first.is_new && !second.is_new);
        assert_eq!(first.listen, second.listen);
        assert_eq!(first.approvers, second.approvers);
        assert_eq!(first.approvers.len(), 2);
        let config = Config::load(&second.config_file).unwrap();
        assert_eq!(config.lease, Options::default().lease, "settings stay as they were");
        let ada = second.person("ada").unwrap();
        let key = ada.key.as_ref().unwrap();
        assert_eq!(key.open().unwrap().public(), key.public());
        assert_eq!(config.person.iter().find(|it| it.id == "ada").unwrap().key, Some(key.public()));
    }

    #[test]
    fn what_belongs_to_others_stays() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine"), "mine").unwrap();
        prepare(folder.path(), Options::default()).unwrap().remove().unwrap();
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        let own = folder.path().join("own");
        prepare(&own, Options::default()).unwrap().remove().unwrap();
        assert!(!own.exists());
    }
}
