//! TLS at the partner's hosts: what is offered, what comes back, and what is served without it.
//!
//! Each host is looked at once in a run; every check of this family judges its part of that look.

pub mod certificate;
pub mod compression;
pub mod hybrid;
pub mod modern;
pub mod old;
pub mod plain;
pub mod weak;

mod look;
mod seen;
mod suites;

#[cfg(test)]
mod sample;

use countersign_model::check::{Entry, Judgement, Transcript};
use countersign_model::declare::Manifest;

use crate::check::{Check, Info, Stage};
use crate::live::hosts::{Host, served};
use crate::talk::Talk;
use look::look;
use seen::Seen;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &old::CHECK,
    &weak::CHECK,
    &modern::CHECK,
    &certificate::CHECK,
    &plain::CHECK,
    &compression::CHECK,
    &hybrid::CHECK,
];

/// One question about a host's TLS.
pub(crate) struct Look {
    info: &'static Info,
    /// What it judges beside the controls: labels that begin like this.
    reads: &'static [&'static str],
    /// Figures of the profile that it judges by.
    figures: &'static [&'static str],
    judge: fn(Seen<'_>) -> Judgement,
}

/// What every check of the family reads: right requests, before and after.
const CONTROLS: [&str; 4] = ["located", "http.", "control", "closing"];

#[async_trait::async_trait]
impl Check for Look {
    fn info(&self) -> &'static Info {
        self.info
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        served(manifest).iter().map(Host::name).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some(host) = served(manifest).into_iter().find(|it| it.name() == subject) else {
            return;
        };
        if !host.place.is_empty() {
            talk.setting("place", host.place.as_str());
        }
        talk.setting("host", host.host.as_str());
        talk.setting("port", host.port);
        talk.setting("browsers", host.is_browser);
        for figure in self.figures {
            talk.figure(figure);
        }
        let entries = look(talk, &host).await;
        talk.adopt(entries.into_iter().filter(|it| self.is_mine(it)));
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let seen = Seen(transcript);
        let judgement = seen.nobody().unwrap_or_else(|| (self.judge)(seen));
        match transcript.text("place") {
            Some(place) => judgement.at(place),
            None => judgement,
        }
    }
}

impl Look {
    fn is_mine(&self, entry: &Entry) -> bool {
        let label = match entry {
            Entry::Exchange(it) => &it.label,
            Entry::Fact(it) => &it.label,
            Entry::Wait(it) => &it.label,
        };
        CONTROLS.iter().chain(self.reads).any(|it| label.starts_with(it))
    }
}
