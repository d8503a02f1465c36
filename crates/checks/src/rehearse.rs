//! A rehearsal: every check that needs nothing but the manifest, with no server and no partner.

use std::collections::BTreeMap;

use countersign_model::check::assessment::outcomes;
use countersign_model::check::evidence::EVIDENCE_SCHEMA;
use countersign_model::check::{
    ControlOutcome, Evidence, EvidenceRef, Finding, Judgement, Outcome, Summary,
};
use countersign_model::declare::Parsed;
use countersign_model::id::EvidenceId;
use countersign_model::require::{Catalogue, Requirement};
use countersign_model::time::Timestamp;
use countersign_seal::{CanonicalError, digest_of};

use crate::check::Stage;
use crate::finding::finding;
use crate::registry::CHECKS;
use crate::talk::Talk;

/// What a rehearsal came to. It is no evidence for a certificate: only what a server saw counts.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// What was said and seen, and what follows.
    pub evidence: Vec<Evidence>,
    /// Every control of the profile.
    pub outcomes: Vec<ControlOutcome>,
    /// What does not pass, what blocks first.
    pub findings: Vec<Finding>,
    /// Outcomes counted.
    pub summary: Summary,
}

/// Runs every check that needs nothing but the manifest.
///
/// `entropy` gives ids their randomness; `salt` hides personal data in transcripts.
pub async fn rehearse(
    parsed: &Parsed,
    requirements: &[Requirement<'_>],
    now: Timestamp,
    salt: &[u8],
    mut entropy: impl FnMut() -> [u8; 10],
) -> Result<Rehearsal, CanonicalError> {
    let mut evidence = Vec::new();
    let mut references = Vec::new();
    let mut findings = Vec::new();
    for check in CHECKS.iter().filter(|it| it.stage() == Stage::Read) {
        let info = check.info();
        let declared = check.subjects(&parsed.manifest);
        let nothing = declared.is_empty();
        let subjects = if nothing { vec!["manifest".to_owned()] } else { declared };
        for subject in subjects {
            let mut talk = Talk::new(info.name, &subject, parsed.digest, now, salt);
            let judgement = if nothing {
                Judgement::not_applicable("the manifest declares nothing that this asks about")
            } else {
                check.talk(&subject, &parsed.manifest, &mut talk).await;
                check.judge(talk.transcript())
            };
            let transcript = talk.finish();
            let one = Evidence {
                schema: EVIDENCE_SCHEMA.to_owned(),
                id: EvidenceId::new(now, entropy()),
                judge: env!("CARGO_PKG_VERSION").to_owned(),
                collector: "rehearsal".to_owned(),
                at: now,
                transcript,
                judgement: judgement.clone(),
            };
            let reference = EvidenceRef {
                id: one.id.clone(),
                digest: digest_of(&one)?,
                check: info.name.to_owned(),
                case: info.case.map(str::to_owned),
                controls: info.controls.iter().map(|it| (*it).to_owned()).collect(),
                subject,
                at: now,
                judgement,
                kept: false,
            };
            findings.extend(finding(info, &reference, requirements, Catalogue::embedded()));
            references.push(reference);
            evidence.push(one);
        }
    }
    findings.sort_by_key(|it| (!it.blocks, it.result != Outcome::Fail));
    let outcomes = outcomes(requirements, &references, &BTreeMap::new(), now);
    let summary = outcomes.iter().map(|it| it.outcome).collect();
    Ok(Rehearsal { evidence, outcomes, findings, summary })
}

impl Rehearsal {
    /// The exit of a rehearsal: 3 when something required fails, else 5 when something required could not be looked at from here, else 0.
    pub fn exit(&self) -> u8 {
        let blocking = || self.outcomes.iter().filter(|it| it.blocks());
        if blocking().any(|it| it.outcome == Outcome::Fail) {
            3
        } else if blocking().next().is_some() {
            5
        } else {
            0
        }
    }

    /// Required controls that could not be looked at from here.
    pub fn unseen(&self) -> Vec<&str> {
        let unseen = self.outcomes.iter().filter(|it| it.blocks() && it.outcome != Outcome::Fail);
        unseen.map(|it| it.control.as_str()).collect()
    }
}
