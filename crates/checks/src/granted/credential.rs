//! Which credentials of a client are of the kind that its manifest declares.

use countersign_model::declare::manifest::{Auth, Identity};

use crate::platform::{CredentialKind, InventoryCredential};

/// What is there and not declared: another kind, keys from elsewhere, a second secret that never ends.
pub(crate) fn undeclared(identity: &Identity, there: &[InventoryCredential]) -> Vec<String> {
    let mut secrets = 0;
    let mut is_declared = |it: &InventoryCredential| match (identity.auth, it.kind) {
        (Auth::PrivateKeyJwt, CredentialKind::JwksUri) => is_published(identity, it),
        // Keys behind an address are the declared ones; where there is none, keys are registered.
        (Auth::PrivateKeyJwt, CredentialKind::Key) => identity.jwks.is_none(),
        (
            Auth::ApiKey | Auth::ClientSecretBasic | Auth::ClientSecretPost,
            CredentialKind::Secret,
        ) => {
            // An old secret that still works has an end: that is a rotation, and not a second one.
            secrets += u32::from(it.expires.is_none());
            it.expires.is_some() || secrets == 1
        }
        (Auth::ClientCertificate | Auth::TlsClientAuth, CredentialKind::Certificate)
        | (Auth::Federated, _) => true,
        _ => false,
    };
    there.iter().filter(|it| !is_declared(it)).map(|it| it.id.clone()).collect()
}

/// What is declared and not there, where the platform tells credentials at all.
pub(crate) fn absent(identity: &Identity, there: &[InventoryCredential]) -> Option<String> {
    let has = |kind: CredentialKind| there.iter().any(|it| it.kind == kind);
    let is_absent = match identity.auth {
        Auth::PrivateKeyJwt if identity.jwks.is_some() => {
            !there.iter().any(|it| is_published(identity, it))
        }
        Auth::PrivateKeyJwt => !has(CredentialKind::Key) && !has(CredentialKind::JwksUri),
        Auth::ApiKey | Auth::ClientSecretBasic | Auth::ClientSecretPost => {
            !has(CredentialKind::Secret)
        }
        Auth::ClientCertificate | Auth::TlsClientAuth => !has(CredentialKind::Certificate),
        Auth::Federated => false,
    };
    if there.is_empty() || !is_absent {
        return None;
    }
    Some(match &identity.jwks {
        Some(jwks) => format!("keys at {jwks}"),
        None => identity.auth.word().to_owned(),
    })
}

/// Whether it stands for the keys at the declared address: connectors name it by that address.
fn is_published(identity: &Identity, it: &InventoryCredential) -> bool {
    let address = it.id.strip_prefix("jwks:").unwrap_or(&it.id);
    it.kind == CredentialKind::JwksUri
        && identity.jwks.as_ref().is_some_and(|jwks| jwks.as_str() == address)
}
