//! A judgement as people read it.

use countersign_model::check::{EvidenceRef, Finding, Outcome, Verdict};
use countersign_model::require::{Catalogue, Level, Requirement};

use crate::check::Info;

/// The finding of a piece of evidence; none when there is nothing to say.
pub fn finding(
    info: &Info,
    evidence: &EvidenceRef,
    requirements: &[Requirement<'_>],
    catalogue: &Catalogue,
) -> Option<Finding> {
    let judgement = &evidence.judgement;
    let result = match (judgement.verdict, &judgement.waiting) {
        (Verdict::Pass | Verdict::NotApplicable, _) => return None,
        (Verdict::Inconclusive, Some(_)) => Outcome::Waiting,
        (verdict, _) => Outcome::from(verdict),
    };
    let asked: Vec<&Requirement<'_>> = requirements
        .iter()
        .filter(|it| it.applicable && info.controls.contains(&it.control.id.as_str()))
        .collect();
    let severity = asked.iter().map(|it| it.control.severity).max();
    let repeat = judgement
        .repeat
        .clone()
        .unwrap_or_else(|| "countersign check, with the manifest as it is".to_owned());
    Some(Finding {
        check: info.name.to_owned(),
        case: info.case.map(str::to_owned),
        controls: info.controls.iter().map(|it| (*it).to_owned()).collect(),
        subject: evidence.subject.clone(),
        result,
        blocks: asked.iter().any(|it| it.level == Level::Required),
        severity: severity.map_or("low", |it| it.word()).to_owned(),
        sentence: judgement.sentence.clone(),
        observed: judgement.observed.clone(),
        expected: judgement.expected.clone(),
        risk: info.risk.to_owned(),
        fix: info.fix.to_owned(),
        repeat,
        source: info.source.to_owned(),
        place: judgement.place.clone(),
        details: judgement.details.clone(),
        waiting: judgement.waiting.clone(),
        evidence: Some(evidence.id.clone()),
        maps: asked.iter().flat_map(|it| catalogue.maps_of(it.control)).collect(),
    })
}
