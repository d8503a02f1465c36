//! What a client can prove itself with, as administrators see it: ids and ages, no secret half.

use countersign_checks::platform::{ClientKind, CredentialKind, InventoryCredential};
use countersign_model::time::Timestamp;
use countersign_seal::Digest;

use super::book::Client;
use super::client::key_names;
use crate::registration::ClientRegistration;

/// Everything that a client can prove itself with.
pub(super) fn credentials(client: &Client) -> Vec<InventoryCredential> {
    let known = |(id, kind): (String, CredentialKind)| {
        let created = client.since.get(&id).copied().unwrap_or(client.created_at);
        InventoryCredential { id, kind, created: Some(created), expires: None }
    };
    names(&client.registration).into_iter().map(known).collect()
}

/// Since when each credential is there, after a registration was replaced.
pub(super) fn since(
    before: Option<&Client>,
    after: &ClientRegistration,
    now: Timestamp,
) -> std::collections::BTreeMap<String, Timestamp> {
    let known: Vec<InventoryCredential> = before.map(credentials).unwrap_or_default();
    let old = |id: &str| known.iter().find(|it| it.id == id).and_then(|it| it.created);
    names(after).into_iter().map(|(id, _)| (id.clone(), old(&id).unwrap_or(now))).collect()
}

/// How a client acts.
pub(super) fn kind(client: &ClientRegistration) -> ClientKind {
    if client.auth == "none" {
        ClientKind::Public
    } else if client.grant_types.contains("authorization_code") {
        ClientKind::Confidential
    } else {
        ClientKind::ServiceAccount
    }
}

fn names(client: &ClientRegistration) -> Vec<(String, CredentialKind)> {
    let keys = key_names(client).into_iter().map(|it| {
        let kind =
            if it.starts_with("jwks:") { CredentialKind::JwksUri } else { CredentialKind::Key };
        (it, kind)
    });
    let secrets = client.secret_sha256.iter().chain(&client.extras.secrets);
    let secrets = secrets.map(|it| (secret_name(*it), CredentialKind::Secret));
    keys.chain(secrets).collect()
}

/// What a secret is called, by its digest.
pub(super) fn secret_name(secret: Digest) -> String {
    // A digest of the digest: it tells one secret from another, and helps nobody to guess either.
    format!("secret-{}", &Digest::of(secret.hex().as_bytes()).hex()[..12])
}
