//! The roles of Meridian: each is a server with a host of its own.

pub(crate) mod app;
mod authorization_server;
mod events;
mod resource;
pub(crate) mod send;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use countersign_seal::Digest;
pub use events::SetFault;

use crate::partner::{Caller, Fault, Faults, Received, mood};
use crate::serve::Served;
use crate::{Authority, Net, StartError};

/// What a role is made with.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// The faults of the moment.
    pub(crate) faults: Faults,
    /// The secret that opens the partner's own API, and under which the roles know the checker.
    pub(crate) api_token: Digest,
    /// What the partner's feed of effects shows.
    pub(crate) received: Received,
    /// How its webhooks are signed, the one that is sent to any address first.
    pub(crate) callers: Vec<Caller>,
    /// How it reaches the platform and the checker.
    pub(crate) net: Net,
    /// The secret that the old resource server shares with its issuer.
    pub(crate) legacy_secret: String,
    /// The origin of the checker's own server: `https://probe.example.com`.
    pub(crate) harness: String,
    /// What the checker's server holds for the roles.
    pub(crate) secrets: HeldSecrets,
}

/// Secrets by name, which roles make when they start.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldSecrets(Arc<Mutex<BTreeMap<String, String>>>);

impl HeldSecrets {
    /// Holds a secret under a name.
    pub(crate) fn hold(&self, name: &str, secret: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), secret.to_owned());
    }

    /// All of them.
    pub(crate) fn all(&self) -> BTreeMap<String, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One role.
pub(crate) struct Role {
    /// Its host: `api.meridian.example`.
    pub(crate) host: &'static str,
    /// What it answers.
    pub(crate) router: fn(&Arc<Setting>) -> Result<Router, StartError>,
}

/// Every role.
pub(crate) const ROLES: &[Role] = &[
    Role { host: events::HOST, router: events::router },
    Role { host: "app.meridian.example", router: app::meridian },
    authorization_server::ROLE,
    Role { host: "send.meridian.example", router: send::meridian },
    resource::RESOURCE,
];

/// Their hosts.
pub(crate) fn hosts() -> impl Iterator<Item = &'static str> {
    ROLES.iter().map(|it| it.host)
}

pub(crate) use resource::WEAK_SECRET;

/// The running roles.
#[derive(Debug)]
pub(crate) struct Roles {
    served: Vec<Served>,
}

impl Roles {
    /// Starts all of them, each where its listener is.
    pub(crate) fn start(
        setting: &Arc<Setting>,
        mut listeners: BTreeMap<&'static str, TcpListener>,
        authority: &Authority,
    ) -> Result<Self, StartError> {
        let mut served = Vec::new();
        for role in ROLES {
            let Some(listener) = listeners.remove(role.host) else { continue };
            let mood = axum::middleware::from_fn_with_state(setting.faults.clone(), mood);
            let router = (role.router)(setting)?
                .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
                .layer(mood);
            let config = authority.server(&[role.host.to_owned()])?;
            served.push(Served::start(listener, config, router)?);
        }
        Ok(Self { served })
    }

    /// Stops or resumes all of them, as the faults have it.
    pub(crate) async fn settle(&self, faults: &Faults) -> Result<(), StartError> {
        for served in &self.served {
            if faults.has(Fault::Down) {
                served.stop();
            } else {
                served.resume().await?;
            }
        }
        Ok(())
    }
}

/// Where each role is.
pub(crate) fn hold(
    resolve: &mut BTreeMap<String, SocketAddr>,
) -> Result<BTreeMap<&'static str, TcpListener>, StartError> {
    let mut held = BTreeMap::new();
    for role in ROLES {
        let listener = crate::serve::listener()?;
        let address = listener.local_addr().map_err(StartError::Listen)?;
        resolve.insert(role.host.to_owned(), address);
        held.insert(role.host, listener);
    }
    Ok(held)
}

const BODY_BYTES_MAX: usize = 256 * 1024;
