//! What one check concluded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What one check concluded, from its transcript alone.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The behaviour was seen.
    Pass,
    /// The behaviour was seen to be missing.
    Fail,
    /// It could not be seen either way. Never counts as pass.
    Inconclusive,
    /// The manifest declares nothing that this asks about.
    NotApplicable,
}

impl Verdict {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// How far a check that needs time has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// What has been reached: `day 9 of 14`, `312 of 500 requests`.
    pub reached: String,
    /// What is waited for, and from whom.
    pub waits_for: String,
}

/// What a verdict still owes: a later look, which a server takes by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Owed {
    /// Which look: `T+24 h`.
    pub what: String,
    /// When it is due.
    pub due: Timestamp,
    /// From when on it is overdue.
    pub by: Timestamp,
}

/// A verdict with what was seen and what would have been right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// One sentence for the head of the finding, in the present tense: ``scope `tenants:delete` is granted but not declared``.
    pub sentence: String,
    /// What was seen.
    pub observed: String,
    /// What would have been right.
    pub expected: String,
    /// The place in the manifest, `identity[0].scope[1].name`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Set when only time is missing: the outcome is then `waiting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Progress>,
    /// The later looks that it still owes, in their order. What was due so far, passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<Owed>,
    /// Set when no effect oracle could be asked and a status code alone was judged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub status_only: bool,
    /// The records, files or lines that fail, at most 100, for `explain`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// The request to repeat by hand, where it differs from the check's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
}

impl Judgement {
    /// A judgement without place, progress or details.
    pub fn new(verdict: Verdict, sentence: impl Into<String>) -> Self {
        Self {
            verdict,
            sentence: sentence.into(),
            observed: String::new(),
            expected: String::new(),
            place: None,
            waiting: None,
            owed: Vec::new(),
            status_only: false,
            details: Vec::new(),
            repeat: None,
        }
    }

    /// The behaviour was seen.
    pub fn pass(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, sentence)
    }

    /// The behaviour was seen to be missing.
    pub fn fail(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, sentence)
    }

    /// It could not be seen either way.
    pub fn inconclusive(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Inconclusive, sentence)
    }

    /// The manifest declares nothing that this asks about.
    pub fn not_applicable(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::NotApplicable, sentence)
    }

    /// With what was seen.
    pub fn observed(mut self, text: impl Into<String>) -> Self {
        self.observed = text.into();
        self
    }

    /// With what would have been right.
    pub fn expected(mut self, text: impl Into<String>) -> Self {
        self.expected = text.into();
        self
    }

    /// With its place in the manifest.
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// With what is still waited for.
    pub fn waiting(mut self, reached: impl Into<String>, waits_for: impl Into<String>) -> Self {
        self.waiting = Some(Progress { reached: reached.into(), waits_for: waits_for.into() });
        self
    }

    /// With the later looks that it owes.
    pub fn owed(mut self, owed: Vec<Owed>) -> Self {
        self.owed = owed;
        self
    }

    /// With the request to repeat by hand.
    pub fn repeat(mut self, text: impl Into<String>) -> Self {
        self.repeat = Some(text.into());
        self
    }

    /// With the failing records, the first 100 of them.
    pub fn details(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.details = lines.into_iter().take(100).collect();
        self
    }

    /// Judged by a status code alone.
    pub fn status_only(mut self) -> Self {
        self.status_only = true;
        self
    }
}
