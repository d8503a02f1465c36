//! The frame of the checks that push wrong events between two right ones.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;

use super::event::{Event, Maker};
use super::judge::{Case, judge};
use super::visit::visit;
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Wrong events, made with the right one in hand, each with its name.
pub(super) type Forge = fn(&Maker, &Event) -> Option<Vec<(&'static str, Event)>>;

/// A check that pushes wrong events.
#[derive(Debug)]
pub(crate) struct Forged {
    pub(super) info: &'static Info,
    pub(super) case: Case,
    pub(super) wrong: Forge,
}

#[async_trait::async_trait]
impl Check for Forged {
    fn info(&self) -> &'static Info {
        self.info
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        super::subjects(manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        if let Some(mut visit) = visit(subject, manifest, talk).await {
            visit.run(self.wrong).await;
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        judge(transcript, &self.case)
    }
}
