//! Step 7, monitor: what was offboarded is tried again, a day later and after thirty days.
//!
//! The credentials of the copy are kept sealed, under a key that lies beside the database, from the run
//! that offboarded it until the last look, or until their time is over. What a look sees is evidence, and
//! an entry of the log. A look that cannot be judged is tried again; when it is overdue, that is written
//! down once, and the question is open again until somebody answers it.

use countersign_checks::canaries::Kept;
use countersign_model::check::{Assessment, EvidenceRef, Verdict};
use countersign_model::event::What;
use countersign_model::id::{DrillId, IntegrationId};
use countersign_model::monitor::sweep::{Gone, Watch};
use countersign_model::registry::{Record, WatchRecord};
use countersign_model::time::{Period, Timestamp};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::check::reference;
use super::monitor::{sign, suspend_on_failure};
use super::take_up::Agenda;
use crate::app::{App, new_drill};
use crate::book::Draft;
use crate::problem::Problem;
use crate::world::{Seen, SweepJob};

/// The first pause after a look that could not be judged.
const PAUSE_MIN: Period = Period::from_seconds(60);
/// The longest one.
const PAUSE_MAX: Period = Period::from_hours(1);
/// How many looks are made at the same time.
const AT_ONCE_MAX: usize = 4;

/// When each look that could not be judged is tried again.
pub fn agenda() -> Agenda {
    Agenda::with_pauses(PAUSE_MIN, PAUSE_MAX)
}

/// Keeps what a run left to be tried again, together with its assessment.
pub(super) fn keep(
    app: &App,
    draft: &mut Draft,
    (record, assessment): (&Record, &Assessment),
    kept: Vec<Kept>,
) -> Result<(), Problem> {
    let now = assessment.finished;
    let subjects: Vec<String> = kept.iter().map(|it| it.subject.clone()).collect();
    let mut replaces = record.replaced_by(&subjects);
    for it in &replaces {
        draft.forget(it);
    }
    for it in kept {
        let drill = new_drill(now)?;
        let sealed = app.keys.sealing.seal((&record.id, &drill), &it.canaries);
        draft.keep(&drill, sealed.map_err(|it| Problem::broken(&it))?);
        let watch = Watch {
            drill,
            check: it.check,
            subject: it.subject,
            controls: it.controls,
            manifest: assessment.manifest,
            began: it.began,
            sweeps: it.sweeps,
            until: it.until,
        };
        let what = What::CanariesKept {
            integration: record.id.clone(),
            assessment: assessment.id.clone(),
            watch,
            replaces: std::mem::take(&mut replaces),
        };
        draft.event(now, None, what);
    }
    Ok(())
}

/// Why nobody may trust it now, though its assessment passes.
pub(super) fn in_the_way(code: &str) -> Problem {
    let text = match code {
        "canaries-lost" => {
            "what was offboarded cannot be tried again: its credentials are lost; check again"
                .to_owned()
        }
        "sweep-overdue" => "what was offboarded was not tried again in time".to_owned(),
        control => {
            format!("control {control} does not hold any more: what was offboarded came back")
        }
    };
    Problem::new(409, "not-ready", text)
}

/// The drills that are watched, or were the last of their client, as people read them.
pub(super) fn shown(record: &Record, now: Timestamp) -> Vec<Value> {
    let one = |it: &WatchRecord| {
        let sweeps = it.watch.sweeps.iter().map(|owed| {
            let made = it.made.get(&owed.what);
            let state = match made.map(|it| it.verdict) {
                Some(Verdict::Pass) => "gone",
                Some(Verdict::Fail) => "came-back",
                _ if !it.is_open() => "never",
                _ if owed.by <= now => "overdue",
                _ if owed.due <= now => "due",
                _ => "owed",
            };
            json!({
                "what": owed.what, "due": owed.due, "by": owed.by, "state": state,
                "made": made.map(|it| it.at), "evidence": made.map(|it| &it.evidence),
            })
        });
        json!({
            "drill": it.watch.drill, "subject": it.watch.subject, "check": it.watch.check,
            "controls": it.watch.controls, "began": it.watch.began, "until": it.watch.until,
            "ended": it.ended.map(|it| it.0.word()), "sweeps": sweeps.collect::<Vec<_>>(),
        })
    };
    record.watches.values().map(one).collect()
}

/// Makes every look whose turn has come, and ends what can be looked at no more. How many events that made.
pub async fn look(app: &App, agenda: &mut Agenda) -> Result<usize, Problem> {
    let kept = app.book.kept().await?;
    let published = app.book.published();
    let now = app.clock.now();
    let (mut names, mut due, mut made) = (Vec::new(), Vec::new(), 0);
    let mut watched = 0;
    for record in published.registry.integrations.values() {
        for it in record.watches.values().filter(|it| it.is_open()) {
            watched += 1;
            let drill = it.watch.drill.clone();
            if !kept.contains(drill.as_str()) || it.watch.until <= now {
                made += end(app, &record.id, &drill).await?;
                continue;
            }
            let Some(owed) = it.due(now) else { continue };
            let name = format!("{drill} {}", owed.what);
            if agenda.is_due(&name, now) {
                due.push(try_again(app, record, it, name.clone()));
            }
            names.push(name);
        }
    }
    if watched < kept.len() {
        app.book.forget_strays().await?;
    }
    agenda.keep(|it| names.iter().any(|name| name == it));
    let tried: Vec<(String, usize)> =
        stream::iter(due).buffer_unordered(AT_ONCE_MAX).collect().await;
    for (name, events) in tried {
        agenda.tried(&name, now);
        made += events;
    }
    Ok(made)
}

/// Ends the watch of a drill that nobody can look at any more. How many events that made.
async fn end(app: &App, integration: &IntegrationId, drill: &DrillId) -> Result<usize, Problem> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let known = writer.registry().integrations.get(integration);
    let Some(watch) = known.and_then(|it| it.watches.get(drill)).filter(|it| it.is_open()) else {
        return Ok(0);
    };
    let is_over = watch.watch.until <= now;
    // Under the pen, since a run may just have written both.
    if !is_over && readable(app, integration, drill).await?.is_some() {
        return Ok(0);
    }
    let why = if is_over { Gone::Missed } else { Gone::Lost };
    tracing::warn!(%drill, ?why, "what was offboarded is not tried again");
    let mut draft = Draft::default();
    let (integration, of) = (integration.clone(), drill.clone());
    draft.event(now, None, What::SweepsEnded { integration, drill: of, why });
    draft.forget(drill);
    writer.commit(draft, now).await?;
    Ok(1)
}

async fn readable(
    app: &App,
    integration: &IntegrationId,
    drill: &DrillId,
) -> Result<Option<countersign_checks::canaries::Canaries>, Problem> {
    let sealed = app.book.sealed(drill).await?;
    Ok(sealed.and_then(|it| app.keys.sealing.open((integration, drill), &it)))
}

/// One look; its name, and how many events it made.
async fn try_again(
    app: &App,
    record: &Record,
    watched: &WatchRecord,
    name: String,
) -> (String, usize) {
    let made = match swept(app, record, watched).await {
        Ok(it) => it,
        Err(error) => {
            tracing::warn!(look = name, %error, "what was offboarded could not be tried again");
            0
        }
    };
    (name, made)
}

async fn swept(app: &App, record: &Record, watched: &WatchRecord) -> Result<usize, Problem> {
    let watch = &watched.watch;
    let Some(_busy) = app.busy.enter(&format!("sweep {}", watch.drill)) else { return Ok(0) };
    let Some(owed) = watched.due(app.clock.now()) else { return Ok(0) };
    let Some(canaries) = readable(app, &record.id, &watch.drill).await? else {
        return end(app, &record.id, &watch.drill).await;
    };
    let (parsed, _) = app.book.manifest(record.submission.blob).await?;
    let job = SweepJob {
        manifest: &parsed.manifest,
        digest: parsed.digest,
        profile: &record.submission.profile,
        tier: record.submission.tier,
        sweep: &owed.what,
        subject: &watch.subject,
        began: watch.began,
        canaries,
        salt: app.keys.salt.bytes(),
    };
    let seen = app.world.sweep(job).await.map_err(|it| Problem::new(502, "unreachable", it.0))?;
    write_down(app, (&record.id, watch), &owed.what, seen).await
}

/// Writes down what a look came to: an outcome at once, that there is none when it is overdue.
async fn write_down(
    app: &App,
    (integration, watch): (&IntegrationId, &Watch),
    sweep: &str,
    seen: Seen,
) -> Result<usize, Problem> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let record = writer.registry().integrations.get(integration);
    let known = record.and_then(|it| it.watches.get(&watch.drill)).filter(|it| it.is_open());
    let Some((record, known)) = record.zip(known) else { return Ok(0) };
    let Some(owed) = known.owed().find(|it| it.what == sweep) else { return Ok(0) };
    let verdict = seen.evidence.judgement.verdict;
    let is_outcome = matches!(verdict, Verdict::Pass | Verdict::Fail);
    if !is_outcome && (now < owed.by || known.made.contains_key(sweep)) {
        return Ok(0);
    }
    let is_last = known.owed().count() == 1;
    let slug = record.slug.clone();
    let mut draft = Draft::default();
    let evidence: EvidenceRef = reference(&mut draft, seen)?;
    let trigger = (verdict == Verdict::Fail).then(|| sign(&watch.check)).flatten();
    let what = What::Swept {
        integration: integration.clone(),
        drill: watch.drill.clone(),
        sweep: sweep.to_owned(),
        verdict,
        evidence: evidence.id.clone(),
        digest: evidence.digest,
        trigger: trigger.map(str::to_owned),
    };
    draft.event(now, None, what);
    if verdict == Verdict::Fail || (is_outcome && is_last) {
        draft.forget(&watch.drill);
    }
    writer.commit(draft, now).await?;
    drop(writer);
    let (drill, subject) = (&watch.drill, &watch.subject);
    tracing::info!(integration = %slug, %drill, subject, sweep, verdict = verdict.word(), "swept");
    let suspended = suspend_on_failure(app, slug.as_str(), &[evidence]).await?;
    Ok(1 + usize::from(suspended.is_some()))
}
