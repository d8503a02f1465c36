//! The front channel of authorization servers: what goes through a browser, the codes that come back,
//! and clients that register themselves.

pub mod code_lifetime;
pub mod code_replay;
pub mod implicit;
pub mod login;
pub mod pkce;
pub mod push;
pub mod redirect;
pub mod register;
pub mod registration_token;

mod flow;
mod invited;
mod seen;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::AuthorizationServer;

use crate::check::Check;
use crate::granted::token_clients;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &implicit::CHECK,
    &redirect::CHECK,
    &pkce::CHECK,
    &code_replay::CHECK,
    &code_lifetime::CHECK,
    &push::CHECK,
    &login::CHECK,
    &register::CHECK,
    &registration_token::CHECK,
];

/// Servers that send codes: our platform by each identity, where the manifest has a callback, and the
/// partner's, where a test client gets codes.
fn subjects(manifest: &Manifest) -> Vec<String> {
    of(manifest, |it| {
        let gets_codes = |grants: &[String]| grants.iter().any(|it| it == "authorization_code");
        it.clients.iter().any(|it| it.redirect.is_some() && gets_codes(&it.grants))
    })
}

/// The same, where somebody can sign in.
fn with_login(manifest: &Manifest) -> Vec<String> {
    let codes = subjects(manifest);
    let all = of(manifest, |it| it.login.is_some());
    all.into_iter().filter(|it| codes.contains(it)).collect()
}

/// Servers where clients register themselves.
fn registering(manifest: &Manifest) -> Vec<String> {
    of(manifest, |it| it.registration == Some(true))
}

fn of(manifest: &Manifest, wanted: impl Fn(&AuthorizationServer) -> bool) -> Vec<String> {
    let has_callback = !manifest.callbacks.is_empty();
    let own = token_clients(manifest).filter(|_| has_callback).map(|(_, it)| it.id.to_string());
    let theirs = manifest.authorization_servers.iter().filter(|it| wanted(it));
    own.chain(theirs.map(|it| it.id.to_string())).collect()
}
