//! The partner as a client: how it behaves towards authorization servers, when users sign in.
//!
//! We play the server. The manifest says how a test build begins a sign-in with an issuer of ours.

pub(crate) mod browser;
mod judge;
mod server;
mod visit;
mod wrong;

pub mod code_of_another_issuer;
pub mod foreign_state;
pub mod hostile_server;
pub mod metadata_of_another_issuer;
pub mod off_site;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Callback;

use crate::check::{Check, Info, Stage};
use crate::talk::Talk;
use judge::Case;
use wrong::Wrong;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &code_of_another_issuer::CHECK,
    &foreign_state::CHECK,
    &off_site::CHECK,
    &metadata_of_another_issuer::CHECK,
    &hostile_server::SendsNothingToUnverifiedServers,
];

/// A check of what a client does with wrong answers.
pub(crate) struct SignIn {
    info: &'static Info,
    case: Case,
    wrong: &'static [Wrong],
}

#[async_trait::async_trait]
impl Check for SignIn {
    fn info(&self) -> &'static Info {
        self.info
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        subjects(manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        visit::visit(subject, manifest, talk, self.wrong).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        judge::judge(transcript, &self.case)
    }
}

/// The callbacks that receive codes.
pub(crate) fn subjects(manifest: &Manifest) -> Vec<String> {
    let redirects = manifest.callbacks.iter().filter(|it| it.kind == "oauth-redirect");
    redirects.map(|it| it.id.to_string()).collect()
}

/// The callback of this name, and where it stands.
pub(crate) fn callback<'a>(manifest: &'a Manifest, subject: &str) -> Option<(usize, &'a Callback)> {
    manifest.callbacks.iter().enumerate().find(|(_, it)| it.id.as_str() == subject)
}

/// What has to be declared so that a sign-in can be begun.
pub(crate) fn to_declare(index: usize, callback: &Callback) -> String {
    let host = callback.url.host();
    format!(
        "`start` in callback[{index}], such as `start = \"GET https://{host}/login?issuer={{issuer}}\"`: how a test build of the app begins a sign-in at the issuer that is put in"
    )
}
