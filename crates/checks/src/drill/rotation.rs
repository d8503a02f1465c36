//! What the rotation drills share.

use countersign_model::declare::Manifest;

use crate::secrets::Secrets;

/// The name of the secret with which the partner lets the server rotate, offboard and read its log.
pub fn secret_name(manifest: &Manifest) -> String {
    format!("{}-rotation", manifest.integration.id)
}

/// That secret; one that is filed under the integration's own name will do.
pub fn secret<'a>(manifest: &Manifest, secrets: &'a Secrets) -> Option<&'a str> {
    let own = || secrets.get(manifest.integration.id.as_str());
    secrets.get(&secret_name(manifest)).or_else(own)
}
