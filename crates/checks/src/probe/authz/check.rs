//! One check of an authorization server: its words, what it sends and how it concludes.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use futures_util::future::BoxFuture;

use super::Visit;
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// What a check does during its visit.
pub(crate) type Talking = for<'a, 'b> fn(&'a mut Visit<'b>) -> BoxFuture<'a, ()>;

/// One check of an authorization server.
#[derive(Debug)]
pub(crate) struct ServerCheck {
    /// What people read.
    pub(crate) info: &'static Info,
    /// When it runs.
    pub(crate) stage: Stage,
    /// Which servers it looks at.
    pub(crate) subjects: fn(&Manifest) -> Vec<String>,
    /// What it sends.
    pub(crate) talk: Talking,
    /// What it concludes.
    pub(crate) judge: fn(&Transcript) -> Judgement,
}

#[async_trait::async_trait]
impl Check for ServerCheck {
    fn info(&self) -> &'static Info {
        self.info
    }

    fn stage(&self) -> Stage {
        self.stage
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        (self.subjects)(manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        if let Some(mut visit) = Visit::open(subject, manifest, talk).await {
            (self.talk)(&mut visit).await;
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let judgement = (self.judge)(transcript);
        match transcript.text("place") {
            Some(place) if judgement.place.is_none() => judgement.at(place),
            _ => judgement,
        }
    }
}
