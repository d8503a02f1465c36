//! Does the sender leave receivers alone that refuse it?
//!
//! A sender that tries at once and for ever keeps a receiver down that is just coming up, and goes on
//! sending to an address that has a new owner.
//!
//! We register receivers that answer 410, 429 with `retry-after`, and 503, cause one delivery, and
//! write down when each is tried again; then another delivery, which the first must not get.
//!
//! Source: Standard Webhooks 1.0, "Delivery success and failure"; WHK-17.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;

use super::{NAMES, backoff, subjects};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does the sender leave receivers alone that refuse it?
#[derive(Debug, Clone, Copy)]
pub struct BacksOffWhenRefused;

#[async_trait::async_trait]
impl Check for BacksOffWhenRefused {
    fn info(&self) -> &'static Info {
        &Info {
            name: "backs_off_when_refused",
            case: Some("WHK-17"),
            controls: &["CTS-WHK-04"],
            question: "Does the sender leave receivers alone that refuse it?",
            sends: "Addresses of ours that answer 410, 429 with `retry-after: 1`, and 503 are registered; one delivery is caused, watched for twelve times the declared `retry_every` (2.5 s at least, 10 minutes at most), then another.",
            passes: "After 410 nothing comes any more; after 429 nothing comes before the time that is asked for; after 503 the pauses grow. A right address gets both deliveries.",
            risk: "The sender keeps receivers down that are just coming up, and sends data to addresses that were given up.",
            fix: "End a registration at 410, honour `retry-after`, and double the pause after each failure, with some chance in it.",
            source: "Standard Webhooks 1.0, \"Delivery success and failure\"; WHK-17.",
        }
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
        backoff::watch(subject, manifest, talk).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        backoff::judge(transcript)
    }
}
