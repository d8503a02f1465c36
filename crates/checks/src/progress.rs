//! How far a run has come, for whoever waits for it.

use std::sync::{Mutex, PoisonError};

use countersign_model::check::{Evidence, Verdict};
use serde::{Deserialize, Serialize};

/// How far a run has come. It is only looked at; nothing depends on it.
#[derive(Debug, Default)]
pub struct Progress(Mutex<Come>);

/// How far a run has come, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Come {
    /// How many checks there are to run, each subject counted; 0 before preflight has ended.
    pub total: u32,
    /// What was judged so far, in the order in which it ended.
    pub judged: Vec<Judged>,
}

/// One check that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The check.
    pub check: String,
    /// What it looked at.
    pub subject: String,
    /// What it concluded.
    pub verdict: Verdict,
    /// In one sentence.
    pub sentence: String,
    /// How long it took, its turn included.
    pub took_ms: u64,
    /// How long it waited for time to pass, as its case demands.
    pub waited_ms: u64,
}

impl Progress {
    /// How far it has come now.
    pub fn come(&self) -> Come {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// So many checks more.
    pub(crate) fn expect(&self, more: usize) {
        let mut come = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        come.total = come.total.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
    }

    /// One of them has ended.
    pub(crate) fn judged(&self, evidence: &Evidence, took_ms: u64) {
        let waits = evidence.transcript.entries.iter().filter_map(|it| match it {
            countersign_model::check::Entry::Wait(it) => Some(it.waited_ms),
            _ => None,
        });
        let judged = Judged {
            check: evidence.transcript.check.clone(),
            subject: evidence.transcript.subject.clone(),
            verdict: evidence.judgement.verdict,
            sentence: evidence.judgement.sentence.clone(),
            took_ms,
            waited_ms: waits.sum(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).judged.push(judged);
    }
}
