//! Private instances of identity servers that others wrote: each on a free port of loopback, with a
//! certificate of its own, and ended when it is dropped. Tests alone use them.

mod certificate;
mod glewlwyd;
mod keycloak;
mod npm;
mod oidc_provider;
mod process;
mod talk;

pub use glewlwyd::Glewlwyd;
pub use keycloak::{Keycloak, Realm};
pub use oidc_provider::{OidcProvider, Trait};
pub use talk::{Said, Talk};

/// A server could not be started.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RealError(String);

impl RealError {
    pub(crate) fn new(what: impl std::fmt::Display) -> Self {
        Self(what.to_string())
    }
}

pub(crate) type Done<T> = Result<T, RealError>;
