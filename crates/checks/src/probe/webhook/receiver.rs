//! What the checks of a receiver share: whom they look at, and how.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Direction, EffectsKind, EventSubscription};
use countersign_seal::scheme::{self, Facts, Scheme};

use super::hear::{Plan, hear, sibling};
use super::judge::{Case, judge};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// A check of a receiver: right events, wrong ones between them, and what they led to.
pub(super) struct Receiver {
    pub(super) info: &'static Info,
    /// Whom it asks anything about.
    pub(super) about: fn(&EventSubscription, &Facts) -> bool,
    pub(super) plan: Plan,
    pub(super) case: Case,
}

#[async_trait::async_trait]
impl Check for Receiver {
    fn info(&self) -> &'static Info {
        self.info
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        subjects(manifest, |event, facts| {
            (self.about)(event, facts) && (!self.plan.sibling || sibling(manifest, event).is_some())
        })
    }

    fn exclusive(&self, _: &str, manifest: &Manifest) -> Option<String> {
        exclusive(manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        hear(subject, manifest, talk, &self.plan).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        judge(transcript, &self.case)
    }
}

/// Every receiver.
pub(super) fn every(_: &EventSubscription, _: &Facts) -> bool {
    true
}

/// The subscriptions whose receiver is looked at. Security event tokens have checks of their own.
pub(super) fn subjects(
    manifest: &Manifest,
    about: impl Fn(&EventSubscription, &Facts) -> bool,
) -> Vec<String> {
    let out = manifest.events.iter().filter(|it| it.direction == Direction::Out);
    let mine = out.filter(|it| {
        is_judged(it) && scheme_of(it).is_some_and(|scheme| about(it, scheme.facts()))
    });
    mine.map(|it| it.id.to_string()).collect()
}

/// Whether its receiver is looked at here.
pub(super) fn is_judged(event: &EventSubscription) -> bool {
    scheme_of(event).is_some_and(|it| it.name() != SET)
}

/// The subscription of this name, and where it stands.
pub(super) fn event<'a>(
    manifest: &'a Manifest,
    subject: &str,
) -> Option<(usize, &'a EventSubscription)> {
    manifest.events.iter().enumerate().find(|(_, it)| it.id.as_str() == subject)
}

/// How the events of a subscription are signed.
pub(super) fn scheme_of(event: &EventSubscription) -> Option<&'static dyn Scheme> {
    let word = serde_json::to_value(event.signing.scheme).ok()?;
    scheme::find(word.as_str()?)
}

/// A canary object shows that something changed it, not what: one check at a time may change it.
pub(super) fn exclusive(manifest: &Manifest) -> Option<String> {
    let effects = manifest.effects.as_ref().filter(|it| it.kind == EffectsKind::Object)?;
    Some(format!("effects:{}", effects.url))
}

const SET: &str = "set";
