//! The partner as a sender of webhooks: where it lets itself be sent, and how often.
//!
//! The manifest says how an address is registered at a test build and how a delivery is caused; we
//! register addresses of ours and such as lead inward, and look at what arrives.

mod backoff;
mod ear;
mod judge;
mod visit;
mod wrong;

pub mod backs_off;
pub mod inward;
pub mod transport;

use std::collections::BTreeSet;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Webhook;

use crate::check::{Check, Info, Stage};
use crate::talk::Talk;
pub(crate) use judge::{Case, judge};
pub(crate) use visit::visit;
pub(crate) use wrong::{Wrong, count};

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] =
    &[&inward::CHECK, &transport::CHECK, &backs_off::BacksOffWhenRefused];

/// The webhooks of the partner. Those that the same calls set to work have one sender: the first of
/// them stands for it.
pub(crate) fn subjects(manifest: &Manifest) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let webhooks = manifest.webhooks.iter().filter(|it| match (&it.register, &it.trigger) {
        (Some(register), Some(trigger)) => seen.insert((register, trigger)),
        _ => true,
    });
    webhooks.map(|it| it.id.to_string()).collect()
}

/// The webhook of this name, and where it stands.
pub(crate) fn webhook<'a>(manifest: &'a Manifest, subject: &str) -> Option<(usize, &'a Webhook)> {
    manifest.webhooks.iter().enumerate().find(|(_, it)| it.id.as_str() == subject)
}

/// What has to be declared so that deliveries can be caused.
fn to_declare(index: usize) -> String {
    format!(
        "`register` and `trigger` in webhook[{index}], such as `register = \"POST https://api.acme.example/hooks\"`: how an address is registered at a test build, and how one delivery is caused"
    )
}

/// What only one check may use at a time: one delivery goes to every registered address, and the
/// names of ours with a wrong certificate are shared.
pub(crate) const NAMES: &str = "harness-names";

/// A check of where a sender lets itself be sent.
pub(crate) struct Sending {
    info: &'static Info,
    case: Case,
    wrong: &'static [Wrong],
}

#[async_trait::async_trait]
impl Check for Sending {
    fn info(&self) -> &'static Info {
        self.info
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        subjects(manifest)
    }

    fn exclusive(&self, _: &str, _: &Manifest) -> Option<String> {
        Some(NAMES.to_owned())
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        visit(subject, manifest, talk, self.wrong).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        judge(transcript, &self.case)
    }
}
