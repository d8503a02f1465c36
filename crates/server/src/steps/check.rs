//! Step 3, check: a run of checks becomes an assessment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_checks::progress::Progress;
use countersign_model::certify::Baseline;
use countersign_model::check::assessment::{ASSESSMENT_SCHEMA, Assessment, outcomes};
use countersign_model::check::{EvidenceRef, Finding, Summary, Verdict};
use countersign_model::declare::{Manifest, Parsed};
use countersign_model::event::What;
use countersign_model::id::{PersonId, WaiverId};
use countersign_model::registry::Record;
use countersign_model::require::{Catalogue, Level, Requirement};
use countersign_model::review::Waiver;
use countersign_model::time::Timestamp;
use countersign_seal::digest_of;
use serde_json::{Value, json};

use super::partial::{self, Same, Wanted};
use crate::app::{App, find, new_assessment};
use crate::book::{BookError, Draft};
use crate::demand::demanded;
use crate::problem::Problem;
use crate::world::{Job, Looked, Seen, Unreachable};

/// Runs the checks that are due, and writes the assessment down. Nothing is written when it cannot be judged.
///
/// Where only some are wanted, the others keep what they have: see [`super::partial`].
pub async fn assess(
    app: &App,
    by: &PersonId,
    name: &str,
    wanted: &Wanted,
) -> Result<Value, Problem> {
    let chosen = wanted.checks()?;
    let published = app.book.published();
    let record = find(&published.registry, name)?.clone();
    let Some(_busy) = app.busy.enter(&format!("check {}", record.id)) else {
        return Err(Problem::new(409, "checking", "its checks are running already"));
    };
    let progress: Arc<Progress> = Arc::default();
    lock(&app.runs).insert(record.id.clone(), Arc::clone(&progress));
    let (parsed, text) = app.book.manifest(record.submission.blob).await?;
    let unreachable = |it: Unreachable| Problem::new(502, "unreachable", it.0);
    let profile_name = &record.submission.profile;
    let catalogue = Catalogue::embedded();
    let profile = catalogue.profile(profile_name.as_str()).ok_or_else(|| {
        Problem::new(422, "profile", format!("there is no profile `{profile_name}`"))
    })?;
    let tier = record.submission.tier;
    let requirements = demanded(&parsed.manifest, tier, profile, catalogue);
    let started = app.clock.now();
    let baseline =
        super::granted::now(app, &record, &parsed, parsed.digest).await.map_err(unreachable)?;
    let baseline_digest = baseline.digest().map_err(BookError::from)?;
    let mut kept = keep(app, &record, &requirements, started).await?;
    let mut told = Vec::new();
    if let Some(chosen) = &chosen {
        kept.retain(|it| !chosen.contains(&it.check));
        let settled: BTreeSet<String> = kept.iter().map(|it| it.check.clone()).collect();
        let (record, requirements) = (&record, requirements.as_slice());
        let same = Same { record, requirements, baseline: baseline_digest, now: started };
        let is_run = |check: &str| chosen.contains(check) || settled.contains(check);
        let (evidence, findings) = partial::last(app, &same, is_run).await?;
        kept.extend(evidence);
        told = findings;
    }
    let only = chosen.or_else(|| due(&kept));
    let job = Job {
        manifest: &parsed.manifest,
        text: &text,
        digest: parsed.digest,
        profile: profile_name,
        tier,
        only: only.as_ref(),
        baseline: &baseline,
        waivers: &exceptions(&record, started),
        certified_since: record.certified_since,
        submitted: record.submission.at,
        salt: app.keys.salt.bytes(),
        proofs: &app.keys.proofs,
        progress,
        came_back: &record.came_back,
        within: wanted.within,
        load: wanted.load,
    };
    let mut runs = Vec::new();
    for _ in 0..wanted.repeat.max(1) {
        let looked = app.world.look(job.clone()).await.map_err(unreachable)?;
        let is_judged = looked.problems.is_empty();
        runs.push(looked);
        if !is_judged {
            break;
        }
    }
    let unjudged = runs.pop_if(|it| !it.problems.is_empty());
    let (looked, flips) = match unjudged {
        Some(it) => (it, Vec::new()),
        None => partial::worst(runs),
    };
    let target = &record.slug;
    if !looked.problems.is_empty() {
        return Ok(json!({
            "schema": "countersign.check/1", "run": Value::Null, "target": target,
            "profile": profile_name, "summary": Summary::default(), "exit": 5,
            "verdict": "not judged", "findings": [],
            "preflight": {
                "ok": false, "count": looked.questions, "problems": looked.problems,
                "notices": looked.notices,
            },
        }));
    }
    let (questions, notices) = (looked.questions, looked.notices.clone());
    let canaries = looked.kept.clone();
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let current = find(writer.registry(), name)?;
    if current.submission.manifest != parsed.digest {
        return Err(Problem::moved("another manifest was submitted while the checks ran"));
    }
    let waivers = live_waivers(current, now);
    let mut draft = Draft::default();
    let (evidence, mut findings) = references(&mut draft, kept, looked)?;
    findings.extend(told);
    let outcomes = outcomes(&requirements, &evidence, &waivers, now);
    let required: BTreeMap<&str, Level> =
        requirements.iter().map(|it| (it.control.id.as_str(), it.level)).collect();
    for finding in &mut findings {
        let level = |it: &String| required.get(it.as_str()) == Some(&Level::Required);
        finding.blocks = finding.result.blocks() && finding.controls.iter().any(level);
    }
    let assessment = Assessment {
        schema: ASSESSMENT_SCHEMA.to_owned(),
        id: new_assessment(now)?,
        integration: record.id.clone(),
        manifest: parsed.digest,
        baseline: baseline_digest,
        profile: profile_name.clone(),
        tier,
        environment: parsed.manifest.environment,
        started,
        finished: now,
        collector: "server".to_owned(),
        summary: outcomes.iter().map(|it| it.outcome).collect(),
        evidence,
        outcomes,
        findings,
    };
    let digest = draft.document(&assessment)?;
    draft.document(&baseline)?;
    let diff = draft.document(&difference(app, current, &parsed, &baseline).await?)?;
    let what = What::Assessed {
        integration: record.id.clone(),
        assessment: assessment.id.clone(),
        digest,
        manifest: parsed.digest,
        baseline: assessment.baseline,
        diff,
        outcomes: assessment.outcomes.clone(),
    };
    draft.event(now, Some(by), what);
    super::sweep::keep(app, &mut draft, (current, &assessment), canaries)?;
    writer.commit(draft, now).await?;
    drop(writer);
    let suspended = super::monitor::suspend_on_failure(app, name, &assessment.evidence).await?;
    let exit = assessment.exit();
    let verdict = match exit {
        0 => "yes",
        3 => "no",
        8 => "pending",
        _ => "not judged",
    };
    Ok(json!({
        "schema": "countersign.check/1", "run": assessment.id, "target": target,
        "profile": profile_name, "summary": assessment.summary, "exit": exit, "verdict": verdict,
        "preflight": { "ok": true, "count": questions, "problems": [], "notices": notices },
        "findings": assessment.findings, "owed": owed(&assessment), "assessment": digest,
        "suspended": suspended,
        "kept": assessment.evidence.iter().filter(|it| it.kept).count(),
        "flips": flips,
    }))
}

/// The later looks that an assessment owes, with who owes them.
fn owed(assessment: &Assessment) -> Vec<Value> {
    let mut all = Vec::new();
    for it in &assessment.evidence {
        for owed in &it.judgement.owed {
            all.push(json!({
                "check": it.check, "case": it.case, "subject": it.subject, "what": owed.what,
                "due": owed.due, "by": owed.by,
            }));
        }
    }
    all
}

/// How far the newest run of an integration has come, since the server started.
pub fn progress(app: &App, name: &str) -> Result<Value, Problem> {
    let published = app.book.published();
    let record = find(&published.registry, name)?;
    let come = lock(&app.runs).get(&record.id).map(|it| it.come()).unwrap_or_default();
    let running = app.busy.is_at(&format!("check {}", record.id));
    Ok(json!({
        "schema": "countersign.progress/1", "target": record.slug, "running": running,
        "total": come.total, "judged": come.judged,
    }))
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The checks that are not settled; none for all.
fn due(kept: &[EvidenceRef]) -> Option<BTreeSet<String>> {
    if kept.is_empty() {
        return None;
    }
    let settled: BTreeSet<&str> = kept.iter().map(|it| it.check.as_str()).collect();
    let all = Catalogue::embedded().checks().into_iter();
    Some(all.filter(|it| !settled.contains(it)).map(str::to_owned).collect())
}

/// The evidence of the certified assessment that no trigger reopened and that is fresh.
///
/// Only what passed is kept: everything else is worth another look.
async fn keep(
    app: &App,
    record: &Record,
    requirements: &[Requirement<'_>],
    now: Timestamp,
) -> Result<Vec<EvidenceRef>, Problem> {
    let Some(certificate) = record.certificate.as_ref().filter(|it| !it.revoked) else {
        return Ok(Vec::new());
    };
    if record.triggers.is_empty() {
        return Ok(Vec::new());
    }
    let envelope: countersign_seal::dsse::Envelope =
        app.book.document(certificate.envelope).await?;
    let Ok((decision, _)) = countersign_model::review::quorum::read(envelope.unverified_payload())
    else {
        return Ok(Vec::new());
    };
    let assessment: Assessment = app.book.document(decision.assessment_digest).await?;
    let catalogue = Catalogue::embedded();
    let mut reopened: BTreeSet<&str> =
        catalogue.triggers.always.iter().map(String::as_str).collect();
    for trigger in &record.triggers {
        reopened.extend(catalogue.reopened_by(trigger));
    }
    // What passed then and fails now passes by a new look alone.
    for control in record.failing.keys().filter_map(|it| catalogue.control(it)) {
        reopened.extend(control.checks.iter().map(String::as_str));
    }
    if let Some(certificate) = &record.certificate {
        let missing = record.unswept(certificate.manifest, &certificate.outcomes);
        if missing.is_some_and(|it| it.since <= now) {
            reopened.extend(record.watches.values().map(|it| it.watch.check.as_str()));
        }
    }
    // A check is kept whole or not at all.
    let stays = |it: &EvidenceRef| {
        !reopened.contains(it.check.as_str())
            && matches!(it.judgement.verdict, Verdict::Pass | Verdict::NotApplicable)
            && partial::is_fresh(requirements, it, now)
    };
    let dropped: BTreeSet<&str> =
        assessment.evidence.iter().filter(|it| !stays(it)).map(|it| it.check.as_str()).collect();
    let kept = assessment.evidence.iter().filter(|it| !dropped.contains(it.check.as_str()));
    Ok(kept.map(|it| EvidenceRef { kept: true, ..it.clone() }).collect())
}

fn references(
    draft: &mut Draft,
    mut evidence: Vec<EvidenceRef>,
    looked: Looked,
) -> Result<(Vec<EvidenceRef>, Vec<Finding>), Problem> {
    let mut findings = Vec::new();
    for mut seen in looked.seen {
        findings.extend(seen.finding.take());
        evidence.push(reference(draft, seen)?);
    }
    Ok((evidence, findings))
}

/// Stores a piece of evidence; how it is named from now on.
pub(super) fn reference(draft: &mut Draft, seen: Seen) -> Result<EvidenceRef, BookError> {
    let digest = draft.document(&seen.evidence)?;
    // By its id too, so that it can be asked for.
    Ok(EvidenceRef {
        id: seen.evidence.id,
        digest,
        check: seen.check,
        case: seen.case,
        controls: seen.controls,
        subject: seen.subject,
        at: seen.evidence.at,
        judgement: seen.evidence.judgement,
        kept: false,
    })
}

/// The live waivers, whole.
fn exceptions(record: &Record, now: Timestamp) -> Vec<Waiver> {
    let covers = |it: &&Waiver| it.covers(record.submission.manifest, now);
    record.waivers.values().filter(covers).cloned().collect()
}

/// The live waivers, by control.
pub(crate) fn live_waivers(record: &Record, now: Timestamp) -> BTreeMap<String, WaiverId> {
    let live = record.waivers.values().filter(|it| it.covers(record.submission.manifest, now));
    live.map(|it| (it.control.clone(), it.id.clone())).collect()
}

/// What was done in production since the certificate; nothing where there is none.
async fn used(app: &App, record: &Record, manifest: &Manifest) -> Value {
    let Some(certificate) = &record.certificate else { return Value::Null };
    match app.world.used(manifest, certificate.at).await {
        Ok(used) => json!(used),
        // It is shown beside the rest and decides nothing.
        Err(error) => json!({ "since": certificate.at, "error": error.0 }),
    }
}

/// What differs from what is certified: the document that a reviewer sees and names by its digest.
pub(crate) async fn difference(
    app: &App,
    record: &Record,
    parsed: &Parsed,
    baseline: &Baseline,
) -> Result<Value, Problem> {
    let mut changes = Vec::new();
    let mut certified = Value::Null;
    if let Some(certificate) = &record.certificate {
        let before: Baseline = app.book.document(certificate.baseline).await?;
        let drifts = countersign_model::monitor::drift::drifts(&before, baseline);
        changes.extend(drifts.iter().map(|it| json!(it)));
        let sentences = record.triggers.iter().map(|it| json!({ "trigger": it }));
        if certificate.manifest != parsed.digest {
            changes.extend(sentences);
        }
        certified = json!(before);
    }
    let declared: BTreeMap<String, Vec<String>> = parsed
        .manifest
        .identities
        .iter()
        .map(|it| {
            let scopes = it.scopes.iter().map(|it| it.name.to_string()).collect();
            (it.client_id().to_owned(), scopes)
        })
        .collect();
    let mut document = json!({
        "schema": "countersign.diff/1",
        "manifest": parsed.digest,
        "declared": declared,
        "granted": baseline.granted,
        "used": used(app, record, &parsed.manifest).await,
        "baseline": certified,
        "changes": changes,
    });
    let digest = digest_of(&document).map_err(BookError::from)?;
    if let Some(it) = document.as_object_mut() {
        it.insert("content".to_owned(), json!(digest));
    }
    Ok(document)
}
