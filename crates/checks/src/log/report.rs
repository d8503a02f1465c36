//! What a log came to: shares with their denominators, and the lines that fail, with place and reason.

use std::collections::BTreeMap;

use countersign_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::finding::Rule;
use super::timeline::Timeline;

/// How many failing lines are shown for each question.
pub(super) const SHOWN_MAX: usize = 100;

/// A line of one of the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Place {
    pub(super) source: u32,
    pub(super) line: u64,
}

/// A share of the lines, and which ones are missing from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Share {
    /// How many are in order.
    pub good: u64,
    /// How many there are.
    pub all: u64,
    /// Those that are not, with place and reason; the first 100.
    pub failing: Vec<String>,
    /// Those that are not counted: their source never tells what is asked for.
    #[serde(default, skip_serializing_if = "is_none")]
    pub untold: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands on references")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Share {
    /// Counts one; a wrong one is told.
    pub(super) fn count(&mut self, wrong: Option<String>) {
        self.all += 1;
        match wrong {
            None => self.good += 1,
            Some(it) => self.show(it),
        }
    }

    /// Shows one that is wrong, while there is room.
    pub(super) fn show(&mut self, wrong: String) {
        if self.failing.len() < SHOWN_MAX {
            self.failing.push(wrong);
        }
    }

    /// Whether all are in order. None at all is in order too: the count beside it says so.
    pub fn is_whole(&self) -> bool {
        self.good == self.all
    }
}

/// Things that were found, each with place and reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Found {
    /// How many.
    pub count: u64,
    /// The first 100.
    pub first: Vec<String>,
}

impl Found {
    pub(super) fn add(&mut self, count: u64, what: impl FnOnce() -> String) {
        self.count = self.count.saturating_add(count);
        if self.first.len() < SHOWN_MAX {
            self.first.push(what());
        }
    }
}

/// What a log came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Lines that were read, empty ones apart.
    pub lines: u64,
    /// Token requests that were granted to a client of this manifest.
    pub requests: u64,
    /// Token requests and uses that were refused.
    pub refused: u64,
    /// Uses of a token that went through.
    pub uses: u64,
    /// Ends of a token before its time.
    pub revocations: u64,
    /// Events that were delivered again, and counted once.
    pub repeated: u64,
    /// Lines of clients that this manifest does not declare.
    pub others: u64,
    /// Lines that tell neither of a token request, nor of a use, nor of an end.
    pub aside: u64,
    /// What a source never tells, by format, and how many lines were asked for it.
    pub untold: BTreeMap<String, BTreeMap<String, u64>>,
    /// How often each rule was broken.
    pub by_rule: BTreeMap<Rule, u64>,
    /// Lines, files or parts of files that could not be read.
    pub unreadable: Found,
    /// When the first request was made.
    pub first: Option<Timestamp>,
    /// When the last request was made.
    pub last: Option<Timestamp>,
    /// Requests with a known actor and every field that they must carry.
    pub attributable: Share,
    /// Tokens with an end inside the declared life.
    pub time_bounded: Share,
    /// Requests inside the declared use.
    pub consistent: Share,
    /// Uses while the token was alive.
    pub used_in_time: Share,
    /// Uses that are declared.
    pub used_as_declared: Share,
    /// Numbers that are missing, or come twice.
    pub gaps: Found,
    /// Uses of a token whose request the log does not tell of.
    pub orphans: Found,
    /// Lines whose time lies before that of an earlier line of the same client.
    pub clock: Found,
    /// Networks and agents that a client who is known comes with for the first time.
    pub firsts: Found,
    /// Scopes that are declared and were not used for 30 days.
    pub unused: Found,
    /// The longest stretch of each client without a line.
    pub silences: Vec<String>,
    /// Requests of our own that the log shows, of how many.
    pub canaries: (u64, u64),
    /// Those that it does not show.
    pub missed: Found,
    /// Good and failing lines over time.
    pub timeline: Timeline,
    /// Whether there was more than can be kept; completeness is then not known.
    pub cut: bool,
}
