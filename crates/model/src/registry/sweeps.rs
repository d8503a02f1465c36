//! Drills of an offboarding that are watched: what each owes, and what came back.

use std::collections::BTreeMap;

use countersign_seal::Digest;

use super::record::Record;
use crate::check::assessment::ControlOutcome;
use crate::check::outcome::Outcome;
use crate::check::verdict::{Owed, Verdict};
use crate::event::{Event, What};
use crate::id::{AssessmentId, DrillId, EvidenceId};
use crate::monitor::sweep::{Gone, OF_CLIENT_MAX, OF_INTEGRATION_MAX, Watch};
use crate::require::requirement::Level;
use crate::time::{Period, Timestamp};

/// A drill that is watched, or was the last one of its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRecord {
    /// The drill, and what it owes.
    pub watch: Watch,
    /// The run that did it.
    pub assessment: AssessmentId,
    /// Whether the certificate in force rests on that run.
    pub certified: bool,
    /// What was seen, by the look's name.
    pub made: BTreeMap<String, Made>,
    /// How it ended, and when; none while it is watched.
    pub ended: Option<(WatchEnd, Timestamp)>,
}

/// One later look, as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// When.
    pub at: Timestamp,
    /// What it came to.
    pub verdict: Verdict,
    /// The evidence.
    pub evidence: EvidenceId,
    /// Its digest.
    pub digest: Digest,
}

/// How the watch of a drill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchEnd {
    /// Something came back.
    Found,
    /// Its credentials are gone, or their time is over, and it owes something.
    Gone(Gone),
    /// Trust was withdrawn for good: nothing of it can be told from the withdrawal any more.
    Revoked,
    /// Every look was made, and nothing came back.
    Whole,
}

impl WatchEnd {
    /// The word: `lost`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Gone(Gone::Lost) => "lost",
            Self::Gone(Gone::Missed) => "missed",
            Self::Revoked => "revoked",
            Self::Whole => "whole",
        }
    }
}

/// Something that came back after it had been offboarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameBack {
    /// Which look saw it: `T+24 h`.
    pub sweep: String,
    /// How long after the end that look was due.
    pub after: Period,
    /// When it was seen.
    pub at: Timestamp,
    /// The controls that it breaks.
    pub controls: Vec<String>,
}

/// What came back of a client, or of one that the manifest declares no longer, and was not seen to stay
/// away since.
pub fn came_back<'a>(
    known: &'a BTreeMap<String, CameBack>,
    subject: &str,
    is_declared: impl Fn(&str) -> bool,
) -> Option<&'a CameBack> {
    let of = |it: &(&String, &CameBack)| it.0 == subject || !is_declared(it.0);
    let mine = known.iter().filter(of);
    mine.map(|it| it.1).max_by_key(|it| (it.after, it.at))
}

/// Later looks that nobody made: from when on they are missing, and the code that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unswept {
    /// From when on.
    pub since: Timestamp,
    /// `sweep-overdue` or `canaries-lost`.
    pub reason: &'static str,
}

impl WatchRecord {
    /// Whether its credentials are kept.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// The looks that were not made yet, in their order. One that could not be judged was not made.
    pub fn owed(&self) -> impl Iterator<Item = &Owed> {
        let open = |it: &&Owed| {
            self.made.get(&it.what).is_none_or(|it| it.verdict == Verdict::Inconclusive)
        };
        self.watch.sweeps.iter().filter(open)
    }

    /// The look whose turn has come.
    pub fn due(&self, now: Timestamp) -> Option<&Owed> {
        self.owed().find(|it| it.due <= now).filter(|_| self.is_open())
    }

    /// From when on a look is missing: at once where nobody can make it any more.
    fn unswept(&self) -> Option<Unswept> {
        let first = self.owed().map(|it| it.by).min();
        let overdue = |since| Unswept { since, reason: "sweep-overdue" };
        match self.ended {
            None => first.map(overdue),
            Some((WatchEnd::Gone(Gone::Missed), at)) => Some(overdue(first.unwrap_or(at).min(at))),
            Some((WatchEnd::Gone(Gone::Lost), since)) => {
                Some(Unswept { since, reason: "canaries-lost" })
            }
            Some((WatchEnd::Found | WatchEnd::Revoked | WatchEnd::Whole, _)) => None,
        }
    }

    fn is_of(&self, watch: &Watch) -> bool {
        self.watch.check == watch.check && self.watch.subject == watch.subject
    }
}

impl Record {
    /// The first look that is missing, or will be, for controls that have to hold and did.
    ///
    /// The youngest drill of each client decides: an older one was replaced by it as proof, and is
    /// watched on for what may still come back.
    pub fn unswept(&self, manifest: Digest, outcomes: &[ControlOutcome]) -> Option<Unswept> {
        let counts = |control: &String| {
            outcomes.iter().any(|it| {
                it.control == *control && it.level == Level::Required && it.outcome == Outcome::Pass
            })
        };
        let mine = self
            .watches
            .values()
            .filter(|it| it.watch.manifest == manifest && it.watch.controls.iter().any(counts));
        let is_youngest = |it: &&WatchRecord| {
            let younger = |other: &WatchRecord| {
                other.is_of(&it.watch)
                    && other.watch.manifest == manifest
                    && it.watch.began < other.watch.began
            };
            !self.watches.values().any(younger)
        };
        mine.filter(is_youngest).filter_map(WatchRecord::unswept).min()
    }

    /// Why what the newest assessment saw to hold does not count any more, as codes: what came back
    /// since, by its control, and later looks that are missing. Empty where nothing is in the way.
    pub fn swept_away(&self, now: Timestamp) -> Vec<String> {
        let Some(assessment) = &self.assessment else { return Vec::new() };
        let required = |it: &&ControlOutcome| it.level == Level::Required;
        let asked: Vec<&ControlOutcome> = assessment.outcomes.iter().filter(required).collect();
        let broken = |it: &&&ControlOutcome| {
            it.outcome == Outcome::Pass
                && self.came_back.values().any(|back| back.controls.contains(&it.control))
        };
        let mut codes: Vec<String> =
            asked.iter().filter(broken).map(|it| it.control.clone()).collect();
        let missing = self.unswept(assessment.manifest, &assessment.outcomes);
        let missing = missing.filter(|it| it.since <= now);
        codes.extend(missing.map(|it| it.reason.to_owned()));
        codes
    }

    /// The drills that are watched no longer when these clients are drilled anew: the youngest of those on
    /// which no certificate rests, so that the oldest come to their end.
    pub fn replaced_by(&self, subjects: &[String]) -> Vec<DrillId> {
        let mut open: Vec<&WatchRecord> = self.watches.values().filter(|it| it.is_open()).collect();
        open.sort_by_key(|it| (it.certified, std::cmp::Reverse(it.watch.began)));
        let mut replaced = Vec::new();
        for subject in subjects {
            let of_client = |it: &&WatchRecord| it.watch.subject == *subject;
            while OF_CLIENT_MAX <= open.iter().copied().filter(of_client).count() {
                let Some(place) = open.iter().position(of_client) else { break };
                replaced.push(open.remove(place).watch.drill.clone());
            }
        }
        while !open.is_empty() && OF_INTEGRATION_MAX < open.len() + subjects.len() {
            replaced.push(open.remove(0).watch.drill.clone());
        }
        replaced
    }

    pub(super) fn watch_moved(&mut self, event: &Event) {
        match &event.what {
            What::CanariesKept { assessment, watch, replaces, .. } => {
                self.watches.retain(|id, it| {
                    let is_over =
                        it.ended.is_some_and(|it| it.0 != WatchEnd::Whole) && it.is_of(watch);
                    !replaces.contains(id) && !is_over
                });
                let record = WatchRecord {
                    watch: watch.clone(),
                    assessment: assessment.clone(),
                    certified: false,
                    made: BTreeMap::new(),
                    ended: None,
                };
                self.watches.insert(watch.drill.clone(), record);
            }
            What::Swept { .. } => self.swept(event),
            What::SweepsEnded { drill, why, .. } => {
                let watched = self.watches.get_mut(drill).filter(|it| it.is_open());
                if let Some(it) = watched {
                    it.ended = Some((WatchEnd::Gone(*why), event.at));
                }
            }
            _ => {}
        }
    }

    fn swept(&mut self, event: &Event) {
        let What::Swept { drill, sweep, verdict, evidence, digest, trigger, .. } = &event.what
        else {
            return;
        };
        let Some(it) = self.watches.get_mut(drill).filter(|it| it.is_open()) else { return };
        let Some(owed) = it.watch.sweeps.iter().find(|it| it.what == *sweep) else { return };
        let after = owed.due.since(it.watch.began);
        let made =
            Made { at: event.at, verdict: *verdict, evidence: evidence.clone(), digest: *digest };
        it.made.insert(sweep.clone(), made);
        let watch = it.watch.clone();
        match verdict {
            Verdict::Fail => {
                it.ended = Some((WatchEnd::Found, event.at));
                let back = CameBack {
                    sweep: sweep.clone(),
                    after,
                    at: event.at,
                    controls: watch.controls.clone(),
                };
                self.came_back.insert(watch.subject.clone(), back);
                self.breaks(&watch.controls, trigger.as_deref(), event.at);
            }
            Verdict::Pass => {
                if it.owed().next().is_none() {
                    it.ended = Some((WatchEnd::Whole, event.at));
                    self.keep_the_youngest_whole(&watch);
                }
                self.stays_away(&watch, after);
            }
            Verdict::Inconclusive | Verdict::NotApplicable => {}
        }
    }

    /// Of the drills of a client that came to their end, the youngest says it all.
    fn keep_the_youngest_whole(&mut self, watch: &Watch) {
        let is_whole = |it: &WatchRecord| {
            it.is_of(watch) && it.ended.is_some_and(|it| it.0 == WatchEnd::Whole)
        };
        let whole = self.watches.values().filter(|it| is_whole(it));
        let youngest = whole.map(|it| it.watch.began).max();
        self.watches.retain(|_, it| !is_whole(it) || Some(it.watch.began) == youngest);
    }

    /// Under a certificate, what came back asks for recertification and counts against its controls.
    fn breaks(&mut self, controls: &[String], trigger: Option<&str>, at: Timestamp) {
        let Some(certificate) = self.certificate.as_ref().filter(|it| !it.revoked) else { return };
        let counts = |it: &&String| {
            let of = |known: &&ControlOutcome| known.control == **it;
            certificate.outcomes.iter().find(of).is_some_and(|it| it.level != Level::Observe)
        };
        let broken: Vec<String> = controls.iter().filter(counts).cloned().collect();
        if broken.is_empty() {
            return;
        }
        for control in broken {
            self.failing.entry(control).or_insert(at);
        }
        self.triggers.extend(trigger.map(str::to_owned));
        self.due_since = self.due_since.or(Some(at));
    }

    /// A client that was drilled anew has now stayed away as long as the one that had come back; so has,
    /// for one that is drilled no longer, whoever was drilled since.
    fn stays_away(&mut self, watch: &Watch, after: Period) {
        let watches = &self.watches;
        self.came_back.retain(|subject, it| {
            let since = |other: &WatchRecord| it.at < other.watch.began;
            let is_drilled =
                || watches.values().any(|other| since(other) && other.watch.subject == *subject);
            let is_laid = it.at < watch.began
                && it.after <= after
                && (*subject == watch.subject || !is_drilled());
            !is_laid
        });
    }

    /// A certificate rests on the drills of the newest run; where that kept the proof of an earlier one,
    /// on those of that one.
    pub(super) fn watches_certified(&mut self) {
        let run = self.assessment.as_ref().map(|it| it.id.clone());
        let is_of_run = |it: &WatchRecord| Some(&it.assessment) == run.as_ref();
        if !self.watches.values().any(is_of_run) {
            return;
        }
        for it in self.watches.values_mut() {
            it.certified = is_of_run(it);
        }
    }

    /// After a revocation every refusal is the revocation's.
    pub(super) fn watches_revoked(&mut self, at: Timestamp) {
        for it in self.watches.values_mut().filter(|it| it.is_open()) {
            it.ended = Some((WatchEnd::Revoked, at));
        }
    }
}
