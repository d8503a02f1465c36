//! Authorization servers under test: what every check of one shares.
//!
//! There are two kinds: our own platform's test tenant as it treats this integration's client, reached
//! with throw-away copies of that client; and a server of the partner's whose tokens we trust, reached with
//! the test clients that the manifest declares. A [`Visit`] hides the difference.

mod check;
pub(crate) mod code;
mod form;
mod front;
pub(crate) mod key;
mod life;
pub(crate) mod party;
pub(crate) mod read;
pub(crate) mod server;
mod visit;

use countersign_model::declare::Manifest;

pub(crate) use check::ServerCheck;
pub(crate) use form::Form;
pub(crate) use front::Guest;
pub(crate) use life::Life;
pub(crate) use party::{Party, Proof};
pub(crate) use server::{Side, discover};
pub(crate) use visit::{Tokens, Visit, between};

use crate::granted::token_clients;

/// Every authorization server that a manifest lets us look at: the platform by the identity that
/// obtains tokens there, the partner's by its own id.
pub(crate) fn subjects(manifest: &Manifest) -> Vec<String> {
    let identities = token_clients(manifest).map(|(_, it)| it.id.to_string());
    identities.chain(partner_subjects(manifest)).collect()
}

/// The authorization servers of the partner's alone.
pub(crate) fn partner_subjects(manifest: &Manifest) -> Vec<String> {
    manifest.authorization_servers.iter().map(|it| it.id.to_string()).collect()
}
