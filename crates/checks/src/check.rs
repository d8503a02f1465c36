//! What a check is: one half talks and writes down, the other judges what was written down.

use countersign_model::check::{Evidence, Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;

use crate::talk::Talk;

/// What people read about a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Its name: the behaviour that passes.
    pub name: &'static str,
    /// The case that it sends: `WHK-04`.
    pub case: Option<&'static str>,
    /// The controls that it decides.
    pub controls: &'static [&'static str],
    /// What it asks.
    pub question: &'static str,
    /// What can happen where it does not hold.
    pub risk: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where the demand comes from.
    pub source: &'static str,
}

/// One way of finding out whether a control holds.
#[async_trait::async_trait]
pub trait Check: Sync {
    /// What people read about it.
    fn info(&self) -> &'static Info;

    /// What it looks at in this manifest: path ids, or `manifest`. None means: not applicable.
    fn subjects(&self, manifest: &Manifest) -> Vec<String>;

    /// Looks, and writes down both sides. It concludes nothing.
    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk);

    /// Concludes, from the transcript alone.
    fn judge(&self, transcript: &Transcript) -> Judgement;
}

/// Judges stored evidence again; none if the check is not known here. What was not applicable had nothing to judge.
pub fn judge_again(evidence: &Evidence) -> Option<Judgement> {
    let silent = evidence.transcript.entries.is_empty();
    if silent && evidence.judgement.verdict == Verdict::NotApplicable {
        return Some(evidence.judgement.clone());
    }
    let name = &evidence.transcript.check;
    let check = crate::registry::CHECKS.iter().find(|it| it.info().name == name)?;
    Some(check.judge(&evidence.transcript))
}
