//! All evidence of one run, held against the requirements of one manifest digest.

use std::collections::BTreeMap;

use countersign_seal::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::EvidenceRef;
use super::finding::Finding;
use super::outcome::{Outcome, Summary};
use super::verdict::Verdict;
use crate::declare::manifest::Environment;
use crate::declare::words::ProfileRef;
use crate::id::{AssessmentId, IntegrationId, WaiverId};
use crate::require::requirement::{Level, Requirement};
use crate::require::tier::Tier;
use crate::time::Timestamp;

/// The schema name of an assessment.
pub const ASSESSMENT_SCHEMA: &str = "countersign.assessment/1";

/// All evidence of one run, held against the requirements of one manifest digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assessment {
    /// `countersign.assessment/1`.
    pub schema: String,
    /// Its id.
    pub id: AssessmentId,
    /// What was assessed.
    pub integration: IntegrationId,
    /// The manifest that was in force.
    #[schemars(with = "String")]
    pub manifest: Digest,
    /// Manifest and what was really granted.
    #[schemars(with = "String")]
    pub baseline: Digest,
    /// The profile that judged.
    pub profile: ProfileRef,
    /// The tier in force.
    pub tier: Tier,
    /// Where the certificate would count.
    pub environment: Environment,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Who looked.
    pub collector: String,
    /// What was seen, in a fixed order.
    pub evidence: Vec<EvidenceRef>,
    /// Every control of the profile, in the catalogue's order.
    pub outcomes: Vec<ControlOutcome>,
    /// What does not pass, worst first.
    pub findings: Vec<Finding>,
    /// Outcomes counted.
    pub summary: Summary,
}

/// What an assessment makes of one control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlOutcome {
    /// The control's id.
    pub control: String,
    /// How much it counts here.
    pub level: Level,
    /// What it came to.
    pub outcome: Outcome,
    /// When its oldest evidence turns stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<Timestamp>,
    /// The waiver that covers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverId>,
}

impl ControlOutcome {
    /// Whether it stands in the way of certification.
    pub fn blocks(&self) -> bool {
        self.level == Level::Required && self.outcome.blocks()
    }
}

/// Holds evidence against requirements: one outcome for each requirement, in the same order.
///
/// Pure: the same evidence gives the same outcomes. `waivers` maps a control to the live waiver
/// that covers it. A control passes only when each of its checks was seen and none said otherwise.
pub fn outcomes(
    requirements: &[Requirement<'_>],
    evidence: &[EvidenceRef],
    waivers: &BTreeMap<String, WaiverId>,
    now: Timestamp,
) -> Vec<ControlOutcome> {
    requirements.iter().map(|it| outcome(it, evidence, waivers, now)).collect()
}

fn outcome(
    requirement: &Requirement<'_>,
    evidence: &[EvidenceRef],
    waivers: &BTreeMap<String, WaiverId>,
    now: Timestamp,
) -> ControlOutcome {
    let control = requirement.control.id.clone();
    let mine: Vec<&EvidenceRef> = evidence
        .iter()
        .filter(|it| {
            requirement.control.checks.contains(&it.check) && it.controls.contains(&control)
        })
        .collect();
    let applicable = || mine.iter().filter(|it| it.judgement.verdict != Verdict::NotApplicable);
    // What does not apply here never turns stale.
    let fresh_until = applicable()
        .filter(|_| requirement.applicable)
        .map(|it| it.at + requirement.age_max(&it.check))
        .min();
    let unseen =
        requirement.control.checks.iter().any(|check| !mine.iter().any(|it| it.check == *check));
    let worst = worst(&mine);
    let seen = if !requirement.applicable {
        Outcome::NotApplicable
    } else if requirement.control.checks.is_empty() {
        Outcome::Open
    } else if worst == Some(Outcome::Fail) {
        Outcome::Fail
    } else if unseen {
        Outcome::Open
    } else if fresh_until.is_some_and(|it| it <= now) {
        Outcome::Stale
    } else {
        worst.unwrap_or(Outcome::Open)
    };
    let waiver = waivers.get(&control).filter(|_| seen.blocks()).cloned();
    let outcome = if waiver.is_some() { Outcome::Waived } else { seen };
    ControlOutcome { control, level: requirement.level, outcome, fresh_until, waiver }
}

/// The worst of several verdicts: fail, then inconclusive, then waiting, then pass.
fn worst(evidence: &[&EvidenceRef]) -> Option<Outcome> {
    let rank = |it: Outcome| match it {
        Outcome::Fail => 4,
        Outcome::Inconclusive => 3,
        Outcome::Waiting => 2,
        Outcome::Pass => 1,
        _ => 0,
    };
    let each = evidence.iter().map(|it| match (it.judgement.verdict, &it.judgement.waiting) {
        (Verdict::Inconclusive, Some(_)) => Outcome::Waiting,
        (verdict, _) => Outcome::from(verdict),
    });
    each.max_by_key(|it| rank(*it))
}

impl Assessment {
    /// The required controls that stand in the way, in the catalogue's order.
    pub fn blocking(&self) -> Vec<&ControlOutcome> {
        self.outcomes.iter().filter(|it| it.blocks()).collect()
    }

    /// The exit code of `check`: 3 for a required failure, else 5 for a required inconclusive, stale or open one, else 8 for waiting, else 0.
    pub fn exit(&self) -> u8 {
        let blocking: Vec<Outcome> = self.blocking().iter().map(|it| it.outcome).collect();
        if blocking.contains(&Outcome::Fail) {
            3
        } else if blocking.iter().any(|it| *it != Outcome::Waiting) {
            5
        } else if blocking.is_empty() {
            0
        } else {
            8
        }
    }
}
