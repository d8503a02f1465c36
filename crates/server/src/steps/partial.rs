//! Some of the checks, or all of them more than once.
//!
//! What is not run keeps the evidence that it has, while that is fresh and about the same thing; what
//! has none stays open. Nothing passes by being left out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use countersign_checks::drill::load::Load;
use countersign_checks::registry;
use countersign_model::check::{Assessment, EvidenceRef, Finding, Verdict};
use countersign_model::registry::Record;
use countersign_model::require::{Catalogue, Requirement};
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use serde_json::{Value, json};

use crate::app::App;
use crate::problem::Problem;
use crate::world::{Looked, Seen};

/// How often a run may be repeated at once.
pub const REPEAT_MAX: u32 = 10;

/// What is wanted of a run.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Checks, cases or controls; empty for all.
    pub only: Vec<String>,
    /// How often; 0 is once.
    pub repeat: u32,
    /// How long all of it may take; none for the usual limits.
    pub within: Option<Duration>,
    /// How hard a copy works while its key is changed; none for what is usual.
    pub load: Option<Load>,
}

impl Wanted {
    /// The checks that are meant; none for all.
    pub(super) fn checks(&self) -> Result<Option<BTreeSet<String>>, Problem> {
        if REPEAT_MAX < self.repeat {
            let text = format!("a run is repeated at most {REPEAT_MAX} times");
            return Err(Problem::new(400, "repeat", text));
        }
        if self.only.is_empty() {
            return Ok(None);
        }
        let catalogue = Catalogue::embedded();
        let known = catalogue.checks();
        let mut checks = BTreeSet::new();
        for word in &self.only {
            let named = known.iter().filter(|it| **it == word).map(|it| (*it).to_owned());
            let of_case = registry::CHECKS.iter().map(|it| it.info());
            let of_case = of_case.filter(|it| it.case == Some(word.as_str()));
            let of_control = catalogue.control(word).into_iter().flat_map(|it| &it.checks).cloned();
            let meant: Vec<String> =
                named.chain(of_case.map(|it| it.name.to_owned())).chain(of_control).collect();
            if meant.is_empty() {
                let text = format!("no check, case or control with a check is called `{word}`");
                return Err(Problem::new(400, "unknown-check", text));
            }
            checks.extend(meant);
        }
        Ok(Some(checks))
    }
}

/// What kept evidence has to be about.
#[derive(Debug)]
pub(super) struct Same<'a> {
    pub(super) record: &'a Record,
    pub(super) requirements: &'a [Requirement<'a>],
    pub(super) baseline: Digest,
    pub(super) now: Timestamp,
}

/// The evidence of the last assessment for what is not run now, with what people read of it.
///
/// Of another manifest, baseline, profile or tier, or from before something reopened the question,
/// none is kept.
pub(super) async fn last(
    app: &App,
    same: &Same<'_>,
    is_run: impl Fn(&str) -> bool,
) -> Result<(Vec<EvidenceRef>, Vec<Finding>), Problem> {
    let record = same.record;
    let Some(known) = &record.assessment else { return Ok(Default::default()) };
    let last: Assessment = app.book.document(known.digest).await?;
    let submission = &record.submission;
    let is_same = last.manifest == submission.manifest
        && last.baseline == same.baseline
        && last.profile == submission.profile
        && last.tier == submission.tier;
    if !is_same {
        return Ok(Default::default());
    }
    let since = record.due_since.filter(|_| !record.triggers.is_empty());
    let since = since.map_or(submission.at, |it| it.max(submission.at));
    let missing = !record.swept_away(same.now).is_empty();
    let holds = |it: &EvidenceRef| {
        let failed = it.controls.iter().filter_map(|it| record.failing.get(it)).max();
        let is_swept = record.watches.values().any(|watch| watch.watch.check == it.check);
        failed.is_none_or(|failed| *failed <= it.at) && !(missing && is_swept)
    };
    let stays =
        |it: &EvidenceRef| since <= it.at && is_fresh(same.requirements, it, same.now) && holds(it);
    // A check is kept whole or not at all.
    let dropped: BTreeSet<&str> =
        last.evidence.iter().filter(|it| !stays(it)).map(|it| it.check.as_str()).collect();
    let is_kept = |check: &str| !is_run(check) && !dropped.contains(check);
    let evidence = last.evidence.iter().filter(|it| is_kept(&it.check));
    let evidence = evidence.map(|it| EvidenceRef { kept: true, ..it.clone() }).collect();
    let findings = last.findings.iter().filter(|it| is_kept(&it.check)).cloned().collect();
    Ok((evidence, findings))
}

/// Whether evidence is younger than every control that applies and rests on it allows.
pub(super) fn is_fresh(
    requirements: &[Requirement<'_>],
    evidence: &EvidenceRef,
    now: Timestamp,
) -> bool {
    let rests =
        |it: &&Requirement<'_>| it.applicable && it.control.checks.contains(&evidence.check);
    let needs = requirements.iter().filter(rests);
    let age = needs.map(|it| it.age_max(&evidence.check)).min();
    age.is_some_and(|age| now < evidence.at + age)
}

/// Of several runs the worst evidence of each check and subject, and what did not stay the same.
///
/// Who refuses a forgery only sometimes does not refuse it: the worst is what counts.
pub(super) fn worst(runs: Vec<Looked>) -> (Looked, Vec<Value>) {
    let mut all = Looked::default();
    let mut seen: BTreeMap<(String, String), Vec<Seen>> = BTreeMap::new();
    let mut order = Vec::new();
    for run in runs {
        all = Looked { questions: run.questions, notices: run.notices, ..all };
        all.kept.extend(run.kept);
        for it in run.seen {
            let key = (it.check.clone(), it.subject.clone());
            if !seen.contains_key(&key) {
                order.push(key.clone());
            }
            seen.entry(key).or_default().push(it);
        }
    }
    let mut flips = Vec::new();
    for key in order {
        let Some(mut of_one) = seen.remove(&key) else { continue };
        let words: Vec<&str> = of_one.iter().filter_map(decided).map(Verdict::word).collect();
        if words.iter().any(|it| *it != words[0]) {
            flips.push(json!({ "check": key.0, "subject": key.1, "verdicts": words }));
        }
        // The last among equals: what waited for time may wait no longer.
        of_one.sort_by_key(|it| decided(it).map_or(0, weight));
        all.seen.extend(of_one.pop());
    }
    // The copies of the other runs are deleted, and nobody asks about them again.
    let Looked { seen, kept, .. } = &mut all;
    kept.retain(|kept| seen.iter().any(|it| it.evidence.id == kept.evidence));
    (all, flips)
}

/// What it came to; nothing where it only waits for time.
fn decided(seen: &Seen) -> Option<Verdict> {
    let judgement = &seen.evidence.judgement;
    judgement.waiting.is_none().then_some(judgement.verdict)
}

fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::NotApplicable => 1,
        Verdict::Pass => 2,
        Verdict::Inconclusive => 3,
        Verdict::Fail => 4,
    }
}
