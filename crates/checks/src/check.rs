//! What a check is: one half talks and writes down, the other judges what was written down.

use countersign_model::check::transcript::FailureKind;
use countersign_model::check::{Answer, Entry, Exchange, Judgement, Transcript, Verdict};
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
    /// What is sent or read to find out.
    pub sends: &'static str,
    /// What has to be seen for a pass.
    pub passes: &'static str,
    /// What can happen where it does not hold.
    pub risk: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where the demand comes from.
    pub source: &'static str,
}

/// One way of finding out whether a control holds. Each lives in a file of its own; `registry.rs` lists them.
#[async_trait::async_trait]
pub trait Check: Sync {
    /// What people read about it.
    fn info(&self) -> &'static Info;

    /// When it runs, and what it needs.
    fn stage(&self) -> Stage {
        Stage::Read
    }

    /// What it looks at in this manifest: path ids, or `manifest`. None means: not applicable.
    fn subjects(&self, manifest: &Manifest) -> Vec<String>;

    /// What only one may use at a time: checks that name the same run one after the other.
    fn exclusive(&self, subject: &str, manifest: &Manifest) -> Option<String> {
        let (_, _) = (subject, manifest);
        None
    }

    /// Looks, and writes down both sides. It concludes nothing.
    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk);

    /// Concludes, from the transcript alone.
    fn judge(&self, transcript: &Transcript) -> Judgement;
}

/// When a check runs. A later stage begins when the earlier one has ended, so that nobody judges
/// what somebody else is just switching off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Reads the manifest; needs nobody else.
    Read,
    /// Reads repositories, or what a platform holds.
    Ask,
    /// Sends right and wrong requests.
    Probe,
    /// Does the thing, with a stopwatch, and undoes it.
    Drill,
    /// Reads what the others have left in the records.
    Afterwards,
}

impl Stage {
    /// All, in their order.
    pub const ALL: [Self; 5] = [Self::Read, Self::Ask, Self::Probe, Self::Drill, Self::Afterwards];
}

/// The setting of a transcript that has nothing to look at.
pub(crate) const NO_SUBJECT: &str = "no_subject";
/// The fact that a check did not come to its end.
pub(crate) const CUT_SHORT: &str = "cut-short";
/// The fact that says whether everything was undone.
pub(crate) const UNDO: &str = "undo";

/// The first request that our own guard did not let out, and why.
fn held_back(transcript: &Transcript) -> Option<(&str, &str)> {
    transcript.entries.iter().find_map(|it| match it {
        Entry::Exchange(Exchange {
            request,
            answer: Answer::Failure { kind: FailureKind::AddressRefused, detail },
            ..
        }) => Some((request.url.as_str(), detail.as_str())),
        _ => None,
    })
}

/// Judges a transcript: what the check says, and what holds for every check.
///
/// A check that did not come to its end, left something changed, or was held back by our own guard
/// passes nothing.
pub fn conclude(check: &dyn Check, transcript: &Transcript) -> Judgement {
    if transcript.settings.contains_key(NO_SUBJECT) {
        return Judgement::not_applicable("the manifest declares nothing that this asks about");
    }
    let judgement = check.judge(transcript);
    if judgement.verdict == Verdict::Fail {
        return judgement;
    }
    let reason = |label| {
        let mut facts = transcript.facts(label);
        facts.find_map(|it| it.value.get("error")?.as_str())
    };
    if let Some(why) = reason(UNDO) {
        return Judgement::inconclusive("what this check had changed could not be undone")
            .observed(why)
            .expected("everything as it was before");
    }
    if let Some(why) = reason(CUT_SHORT) {
        return Judgement::inconclusive("the check did not come to its end")
            .observed(why)
            .expected("an end inside the time budget");
    }
    if let Some((url, why)) = held_back(transcript) {
        return Judgement::inconclusive(format!("a request was not sent: {why}"))
            .observed(format!("our own guard held back {url}"))
            .expected("control of each host is proved, and the rules of engagement allow the hour")
            .at("rules_of_engagement");
    }
    let wants_effect = transcript.text("status_only") == Some("inconclusive");
    if judgement.status_only && wants_effect && judgement.verdict == Verdict::Pass {
        return Judgement {
            verdict: Verdict::Inconclusive,
            sentence: "only a status code was seen, and the profile wants the effect".to_owned(),
            ..judgement
        };
    }
    judgement
}
