//! The log's entries about one integration: under the signed root, and telling the same story.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_ledger::tree::{leaf_hash, verify_inclusion};
use countersign_ledger::{Checkpoint, LogProof};
use countersign_model::event::{EVENT_SCHEMA, Event, What};
use countersign_model::id::{EvidenceId, PersonId, WaiverId};
use countersign_model::registry::{Record, Registry};
use countersign_seal::{Digest, canonical_json};

use super::bound::{Bound, chain};
use super::document::Pack;
use super::pins::Trust;
use super::report::Report;

/// What the entries tell.
#[derive(Debug)]
pub(crate) struct History {
    /// The integration, as the last entry leaves it.
    pub(crate) record: Record,
    /// The waivers that were alive when the assessment ended, by control.
    pub(crate) waivers: BTreeMap<String, WaiverId>,
    /// The evidence of later looks since that assessment.
    pub(crate) sweeps: Vec<(EvidenceId, Digest)>,
}

/// Checks proofs and checkpoint, then the story.
pub(crate) fn check(
    pack: &Pack,
    trust: &Trust,
    bound: &Bound,
    report: &mut Report,
) -> Option<History> {
    let events = report.take("log", proven(pack, trust))?;
    report.take("history", told(pack, trust, bound, &events))
}

/// Every entry stands where its proof says, under the one checkpoint that the log signed.
fn proven(pack: &Pack, trust: &Trust) -> Result<(Vec<(u64, Event)>, String), String> {
    let checkpoint = Checkpoint::open(&pack.checkpoint, &trust.log)
        .map_err(|it| format!("the checkpoint is not the log's: {}", chain(&it)))?;
    let mut events: Vec<(u64, Event)> = Vec::with_capacity(pack.entries.len());
    for (place, logged) in pack.entries.iter().enumerate() {
        let bad = |why: &str| format!("entry {place} of the pack {why}");
        let bytes = STANDARD.decode(&logged.entry).map_err(|_| bad("is not base64"))?;
        let proof: LogProof = logged.proof.parse().map_err(|_| bad("has no proof file"))?;
        if proof.checkpoint.to_string() != pack.checkpoint || proof.extra.is_some() {
            return Err(bad("is proven under another checkpoint"));
        }
        let leaf = leaf_hash(&bytes);
        verify_inclusion(&proof.hashes, proof.index, leaf, checkpoint.size, &checkpoint.root)
            .map_err(|_| bad("is not in the log at its place"))?;
        if events.last().is_some_and(|(index, _)| proof.index <= *index) {
            return Err(bad("does not come after the one before"));
        }
        let event: Event = serde_json::from_slice(&bytes).map_err(|_| bad("is not an event"))?;
        if event.schema != EVENT_SCHEMA {
            return Err(bad("is of another schema"));
        }
        events.push((proof.index, event));
    }
    let text = format!(
        "{} entries stand under the root of {} that {} signed",
        events.len(),
        checkpoint.size,
        trust.log.name()
    );
    Ok((events, text))
}

/// The story up to the certificate, and how it went on.
struct Story {
    registry: Registry,
    /// As it was just before the certificate.
    before: Option<Record>,
    /// Where the certificate's own entry stands.
    certified: Option<(u64, Event)>,
    waivers: Option<BTreeMap<String, WaiverId>>,
    /// Who decided on the statement that was signed.
    deciders: BTreeSet<PersonId>,
    sweeps: Vec<(EvidenceId, Digest)>,
}

fn told(
    pack: &Pack,
    trust: &Trust,
    bound: &Bound,
    events: &[(u64, Event)],
) -> Result<(History, String), String> {
    let story = story(pack, bound, events)?;
    if pack.keys.approvers != story.registry.approvers {
        return Err("the approvers that the pack names are not those of the log".to_owned());
    }
    let before = story.before.as_ref().ok_or("the certificate is not in the log")?;
    let (index, certified) = story.certified.as_ref().ok_or("the certificate is not in the log")?;
    certificate(pack, bound, *index, certified)?;
    led_up(bound, before, &story)?;
    if !trust.knows_people && !bound.approved.people().is_subset(&story.deciders) {
        return Err("whoever signed did not decide".to_owned());
    }
    let id = &bound.approved.decision().integration;
    let record = story.registry.integrations.get(id).cloned();
    let record = record.ok_or("nobody submitted it")?;
    let mine = record.certificate.as_ref().is_some_and(|it| {
        it.id == bound.claims.bound.certificate
            && it.token == Digest::of(pack.certificate.as_bytes())
    });
    if !mine {
        return Err("the log has another certificate than this one in force".to_owned());
    }
    let waivers = story.waivers.ok_or("the assessment is not in the log")?;
    let text = format!(
        "submitted, assessed, decided by {} people, certified as entry {index}",
        story.deciders.len()
    );
    Ok((History { record, waivers, sweeps: story.sweeps }, text))
}

fn story(pack: &Pack, bound: &Bound, events: &[(u64, Event)]) -> Result<Story, String> {
    let id = &bound.approved.decision().integration;
    let statement = Digest::of(pack.decision.unverified_payload());
    let mut story = Story {
        registry: Registry::default(),
        before: None,
        certified: None,
        waivers: None,
        deciders: BTreeSet::new(),
        sweeps: Vec::new(),
    };
    for (index, event) in events {
        if event.what.integration().is_some_and(|it| it != id) {
            return Err(format!("entry {index} is about another integration"));
        }
        let record = story.registry.integrations.get(id);
        match &event.what {
            What::Assessed { digest, .. } if *digest == bound.assessment_digest => {
                story.waivers = record.map(|it| alive(it, bound));
            }
            What::Swept { evidence, digest, .. } if story.waivers.is_some() => {
                story.sweeps.push((evidence.clone(), *digest));
            }
            What::Decided { statement: Some(signed), key: Some(key), .. }
                if *signed == statement =>
            {
                let person = event
                    .by
                    .as_ref()
                    .filter(|it| story.registry.person_of(*key).is_some_and(|owner| owner == *it));
                story.deciders.extend(person.cloned());
            }
            What::Certified { certificate, .. }
                if *certificate == bound.claims.bound.certificate =>
            {
                story.before = record.cloned();
                story.certified = Some((*index, event.clone()));
            }
            _ => {}
        }
        story.registry.apply(event);
    }
    Ok(story)
}

fn alive(record: &Record, bound: &Bound) -> BTreeMap<String, WaiverId> {
    let manifest = bound.parsed.digest;
    let mine = record.waivers.values();
    let mine = mine.filter(|it| it.covers(manifest, bound.assessment.finished));
    mine.map(|it| (it.control.clone(), it.id.clone())).collect()
}

/// The entry of the certificate says what the certificate says.
fn certificate(pack: &Pack, bound: &Bound, index: u64, event: &Event) -> Result<(), String> {
    let What::Certified {
        envelope,
        manifest,
        baseline,
        status_index,
        not_before,
        not_after,
        decision,
        ..
    } = &event.what
    else {
        return Err("the certificate is not in the log".to_owned());
    };
    let decided = bound.approved.decision();
    let signed = canonical_json(&pack.decision).map_err(|it| it.to_string())?;
    let same = index == bound.claims.bound.log_index
        && *envelope == Digest::of(&signed)
        && *manifest == bound.parsed.digest
        && *baseline == decided.baseline
        && *status_index == bound.claims.status.status_list.idx
        && *not_before == decided.not_before
        && *not_after == decided.not_after
        && *decision == decided.decision;
    if same {
        Ok(())
    } else {
        Err("the certificate's entry in the log says something else".to_owned())
    }
}

/// What came before the certificate is what it rests on.
fn led_up(bound: &Bound, before: &Record, story: &Story) -> Result<(), String> {
    let submission = &before.submission;
    let assessment = &bound.assessment;
    let submitted = submission.manifest == bound.parsed.digest
        && submission.profile == assessment.profile
        && submission.tier == assessment.tier
        && submission.environment == assessment.environment
        && before.slug == bound.parsed.manifest.integration.id;
    if !submitted {
        return Err("another manifest was submitted than the one that was certified".to_owned());
    }
    if bound.approved.people().contains(&submission.requester) {
        return Err("the person who asked for it approved it".to_owned());
    }
    let assessed = before.assessment.as_ref().is_some_and(|it| {
        it.digest == bound.assessment_digest
            && it.outcomes == assessment.outcomes
            && it.diff == bound.approved.decision().seen_diff
    });
    if !assessed {
        return Err("the log has another assessment before the certificate".to_owned());
    }
    if story.deciders.len() < 2 {
        return Err(format!("the log has {} of 2 people deciding", story.deciders.len()));
    }
    Ok(())
}
