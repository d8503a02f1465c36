//! What the rotation drills share: one rotation per run, watched, and what follows from it.

pub(crate) mod keys;
pub(crate) mod requests;
#[cfg(test)]
pub(crate) mod sample;
mod seen;
mod watch;

use countersign_model::declare::Manifest;
use countersign_model::require::profile::Section;
use serde_json::json;

pub(crate) use requests::Refused;
pub(crate) use seen::Seen;
pub(crate) use watch::watch;

use super::demanded;
use crate::secrets::Secrets;
use crate::talk::Talk;

/// The name of the secret with which the partner lets the server rotate, offboard and read its log.
pub fn secret_name(manifest: &Manifest) -> String {
    format!("{}-rotation", manifest.integration.id)
}

/// That secret; one that is filed under the integration's own name will do.
pub fn secret<'a>(manifest: &Manifest, secrets: &'a Secrets) -> Option<&'a str> {
    let own = || secrets.get(manifest.integration.id.as_str());
    secrets.get(&secret_name(manifest)).or_else(own)
}

/// The identities whose rotation is declared; the manifest itself where its profile demands one and
/// there is none.
pub(crate) fn subjects(manifest: &Manifest) -> Vec<String> {
    if demanded::is_missing(manifest, Section::Rotation) {
        return vec![crate::fact::MANIFEST.to_owned()];
    }
    let declared = manifest.identities.iter().filter(|it| it.rotation.is_some());
    declared.map(|it| it.id.to_string()).collect()
}

/// Watches the one rotation of this run, or writes down why there is none to watch.
pub(crate) async fn talk(subject: &str, manifest: &Manifest, talk: &mut Talk) {
    talk.figure("CTS-CRD-04.grace_seconds");
    let found = manifest.identities.iter().enumerate().find(|(_, it)| it.id.as_str() == subject);
    let Some((index, identity)) = found else {
        let section = Section::Rotation.heading();
        talk.fact(demanded::MISSING, "manifest", json!({ "section": section }));
        return;
    };
    talk.setting("place", format!("identity[{index}].rotation"));
    let Some(rotation) = &identity.rotation else { return };
    talk.setting("overlap_ms", rotation.overlap.millis());
    talk.setting("finish_ms", rotation.finish.millis());
    talk.setting("start", rotation.start.as_str());
    if let Some(jwks) = &identity.jwks {
        talk.setting("jwks", jwks.to_string());
    }
    watch(talk, manifest, identity).await;
}
