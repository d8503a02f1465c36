//! A small identity platform and partners with faults to switch on.
//!
//! The demo and the tests stand on it. Everything listens on loopback only, behind a certificate
//! authority that lives as long as the run, and every answer comes over a real socket.

mod ask;
mod clock;
mod entropy;
mod front;
mod more;
mod net;
mod oauth_fault;
mod outbound;
mod revoked;
mod ring;
mod role;
pub mod seat;
mod serve;
mod tls;

pub mod manifests;
pub mod matrix;
pub mod partner;
pub mod platform;
pub mod registration;
pub mod world;

pub use ask::Ask;
pub use entropy::NoEntropy;
pub use net::Net;
pub use oauth_fault::OauthFault;
pub use partner::{
    AccessFault, Business, Certifier, ClientFault, Fault, FrontFault, HookFault, JwtFault, Kind,
    Partner, SenderFault, TlsFault,
};
pub use platform::{IdentityServer, Platform, PlatformConfig, TokenForm};
pub use role::SetFault;
pub use tls::{Authority, TlsError};
pub use world::World;

/// A part of the sandbox could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No port could be had.
    #[error("no port of loopback could be had")]
    Listen(#[source] std::io::Error),
    /// A client could not be made.
    #[error("a client could not be made")]
    Client(#[source] reqwest::Error),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The repository of a partner could not be made.
    #[error("a repository could not be made: {0}")]
    Repository(String),
    /// A manifest of the demo is not one.
    #[error("the demo's manifest of `{0}` cannot be read")]
    Manifest(&'static str),
    /// The platform does not take what it is given.
    #[error("the platform refused: {0}")]
    Refused(String),
}
