//! Evidence, judged again from its transcripts, and the outcomes that follow.

use std::collections::{BTreeMap, BTreeSet};

use countersign_checks::redact;
use countersign_model::check::assessment::outcomes as outcomes_of;
use countersign_model::check::evidence::EVIDENCE_SCHEMA;
use countersign_model::check::transcript::TRANSCRIPT_SCHEMA;
use countersign_model::check::{Evidence, EvidenceRef, Summary};
use countersign_model::require::Catalogue;
use countersign_seal::digest_of;
use serde::Deserialize as _;
use serde_json::Value;

use super::bound::Bound;
use super::document::Pack;
use super::history::History;
use super::report::{Report, Word};
use super::verify::Judges;
use crate::demand::demanded;

/// Checks that the evidence is the approved one, complete, judged right, and shows no secrets.
pub(crate) fn check(
    pack: &Pack,
    bound: &Bound,
    judges: Judges,
    report: &mut Report,
) -> Option<Vec<Evidence>> {
    let evidence = report.take("evidence", named(pack, bound))?;
    report.take("subjects", subjects(bound, &evidence, judges));
    judged_again(&evidence, judges, report);
    report.take("redaction", redaction(&evidence));
    Some(evidence)
}

/// Each piece is the one that the assessment names, in its order, and there are no others.
fn named(pack: &Pack, bound: &Bound) -> Result<(Vec<Evidence>, String), String> {
    let names = &bound.assessment.evidence;
    if names.len() != pack.evidence.len() {
        let (has, wants) = (pack.evidence.len(), names.len());
        return Err(format!("{has} pieces of evidence are here, and the assessment names {wants}"));
    }
    let one = |(name, value): (&EvidenceRef, &Value)| {
        let evidence = Evidence::deserialize(value)
            .map_err(|it| format!("{} cannot be read: {it}", name.id))?;
        let transcript = &evidence.transcript;
        let same = digest_of(value).is_ok_and(|it| it == name.digest)
            && evidence.schema == EVIDENCE_SCHEMA
            && transcript.schema == TRANSCRIPT_SCHEMA
            && evidence.id == name.id
            && evidence.at == name.at
            && evidence.judgement == name.judgement
            && transcript.check == name.check
            && transcript.subject == name.subject
            && (name.kept || transcript.manifest == bound.assessment.manifest);
        if same {
            Ok(evidence)
        } else {
            Err(format!("{} is not the one that was approved", name.id))
        }
    };
    let evidence = names.iter().zip(&pack.evidence).map(one).collect::<Result<Vec<_>, _>>()?;
    let kept = names.iter().filter(|it| it.kept).count();
    let text = format!("{} pieces are the approved ones, {kept} of them kept", evidence.len());
    Ok((evidence, text))
}

/// Every subject of a check was looked at, and framed as manifest and profile ask.
fn subjects(bound: &Bound, evidence: &[Evidence], judges: Judges) -> Result<((), String), String> {
    let manifest = &bound.parsed.manifest;
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, it) in bound.assessment.evidence.iter().zip(evidence) {
        // What was kept was framed by the manifest of its own time.
        if name.kept {
            continue;
        }
        if let Some(why) = (judges.misframed)(it, manifest) {
            return Err(format!("{} ({}): {why}", it.id, name.check));
        }
        seen.entry(&name.check).or_default().insert(&name.subject);
    }
    for (check, subjects) in &seen {
        let wanted = (judges.subjects)(check, manifest).unwrap_or_default();
        if let Some(missing) = wanted.iter().find(|it| !subjects.contains(it.as_str())) {
            return Err(format!("`{check}` did not look at `{missing}`"));
        }
    }
    Ok(((), format!("{} checks looked at everything that the manifest has for them", seen.len())))
}

fn judged_again(evidence: &[Evidence], judges: Judges, report: &mut Report) {
    let mut unknown = BTreeSet::new();
    for it in evidence {
        match (judges.again)(it) {
            None => {
                unknown.insert(it.transcript.check.as_str());
            }
            Some(again) if again == it.judgement => {}
            Some(again) => {
                let (check, then) = (&it.transcript.check, it.judgement.verdict.word());
                let text = if again.verdict == it.judgement.verdict {
                    format!("{} ({check}): the verdict is the same, its words are not", it.id)
                } else {
                    format!(
                        "{} ({check}) says {then}, its transcript says {}",
                        it.id,
                        again.verdict.word()
                    )
                };
                report.fail("judgements", text);
                return;
            }
        }
    }
    if unknown.is_empty() {
        let text =
            format!("{} of {} judged again, with the same verdict", evidence.len(), evidence.len());
        report.pass("judgements", text);
    } else {
        let names = unknown.into_iter().collect::<Vec<_>>().join(", ");
        let text = format!("not known to this build, and so not judged again: {names}");
        report.add("judgements", Word::NotChecked, text);
    }
}

fn redaction(evidence: &[Evidence]) -> Result<((), String), String> {
    for it in evidence {
        if let Some(place) = redact::shown(&it.transcript).first() {
            return Err(format!("{} shows what looks like a secret: {place}", it.id));
        }
    }
    Ok(((), "no transcript shows what looks like a secret, token or address".to_owned()))
}

/// The outcomes are those that follow from evidence and waivers, and nothing required is in the way.
pub(crate) fn outcomes(bound: &Bound, history: &History) -> Result<((), String), String> {
    let assessment = &bound.assessment;
    let catalogue = Catalogue::embedded();
    let profile = catalogue
        .profile(assessment.profile.as_str())
        .ok_or_else(|| format!("this build knows no profile `{}`", assessment.profile))?;
    let requirements = demanded(&bound.parsed.manifest, assessment.tier, profile, catalogue);
    let again =
        outcomes_of(&requirements, &assessment.evidence, &history.waivers, assessment.finished);
    let differs = again.iter().zip(&assessment.outcomes).find(|(again, then)| again != then);
    if let Some((again, then)) = differs {
        return Err(format!(
            "{} is {} in the assessment, and {} by its evidence",
            then.control,
            then.outcome.word(),
            again.outcome.word()
        ));
    }
    let summary: Summary = again.iter().map(|it| it.outcome).collect();
    if again.len() != assessment.outcomes.len() || summary != assessment.summary {
        return Err("the outcomes are not those of the profile's controls".to_owned());
    }
    if let Some(it) = assessment.blocking().first() {
        return Err(format!("{} is required and is {}", it.control, it.outcome.word()));
    }
    let (pass, total) = (summary.pass, summary.total);
    Ok((
        (),
        format!(
            "recomputed: {pass} of {total} controls pass, {} waived, nothing blocks",
            summary.waived
        ),
    ))
}
