//! The checker's own server as the sandbox sets it up: its names, what it shows, and who runs it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use countersign_checks::harness::{Certificates, Harness, HarnessConfig, HarnessError, WrongName};

use crate::{Authority, StartError};

/// The host of the checker's own server.
pub const HARNESS_HOST: &str = "probe.example.com";

/// The checker's own server: its port is held until somebody starts it.
#[derive(Debug)]
pub(crate) enum HarnessSlot {
    Held(Box<HarnessConfig>),
    Running(Arc<Harness>),
    Elsewhere,
}

/// Where the checker's own server has to be started.
#[derive(Clone)]
pub struct HarnessSeat {
    /// Its origin as partners reach it.
    pub url: String,
    /// Where it has to listen.
    pub listen: SocketAddr,
    /// What it has to show.
    pub shown: Shown,
}

/// What the checker's own server shows: a certificate and its key, as PEM, by name.
#[derive(Clone)]
pub struct Shown {
    /// Under its own name.
    pub own: (String, String),
    /// Under names where something is wrong on purpose.
    pub wrong: BTreeMap<WrongName, (String, String)>,
}

impl Shown {
    pub(crate) fn certificates(&self) -> Result<Certificates, StartError> {
        let refused = |it: HarnessError| StartError::Refused(it.to_string());
        let (certificate, key) = &self.own;
        let own = Certificates::from_pem(certificate.as_bytes(), key.as_bytes());
        self.wrong.iter().try_fold(own.map_err(refused)?, |all, (name, (certificate, key))| {
            all.with(*name, certificate.as_bytes(), Some(key.as_bytes())).map_err(refused)
        })
    }
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Shown({} wrong)", self.wrong.len())
    }
}

impl std::fmt::Debug for HarnessSeat {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "HarnessSeat({} at {})", self.url, self.listen)
    }
}

/// The names of the checker's own server: its own, and one for each way to be wrong.
pub(crate) fn harness_names() -> Vec<String> {
    let wrong = WrongName::ALL.iter().map(|it| format!("{}.{HARNESS_HOST}", it.word()));
    std::iter::once(HARNESS_HOST.to_owned()).chain(wrong).collect()
}

/// What the checker's own server shows under each of its names.
pub(crate) fn shown(authority: &Authority) -> Result<Shown, StartError> {
    let own = authority.right(HARNESS_HOST)?;
    let mut wrong = BTreeMap::new();
    for name in WrongName::ALL {
        let host = format!("{}.{HARNESS_HOST}", name.word());
        wrong.insert(name, authority.wrong(name, &host)?);
    }
    Ok(Shown { own, wrong })
}
