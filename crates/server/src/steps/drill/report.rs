//! What a drill came to: written down, and told with the runs before it.

use std::collections::BTreeMap;

use countersign_checks::drill::table::{self, DrillRow};
use countersign_model::check::{Assessment, Evidence};
use countersign_model::event::What;
use countersign_model::id::{AssessmentId, PersonId};
use countersign_model::registry::Record;
use countersign_model::revoke::{DrillOutcome, DrillPart, DrillRecord};
use countersign_model::time::Period;
use countersign_seal::Digest;
use serde_json::{Value, json};

use super::deny::Denied;
use super::{Announced, Wish, of};
use crate::app::{App, find};
use crate::book::Draft;
use crate::problem::Problem;

/// How many earlier times of each row are told.
const LAST_MAX: usize = 5;

type Came = (Result<Denied, Problem>, Result<Value, Problem>);

/// Makes the table, writes it down, and tells it.
pub(super) async fn conclude(
    app: &App,
    by: &PersonId,
    announced: &Announced,
    wish: &Wish,
    (switched, assessed): Came,
) -> Result<Value, Problem> {
    let mut rows = Vec::new();
    let mut restored = None;
    match switched {
        Ok(it) => {
            rows.extend(it.rows);
            restored = it.restored;
        }
        Err(problem) => rows.push(broken(DrillPart::KillSwitch, "gates", &problem.detail)),
    }
    let mut assessment = None;
    match assessed {
        Ok(run) => {
            let (id, seen) = seen(app, announced, wish, &run).await?;
            assessment = id;
            rows.extend(seen);
        }
        Err(problem) => {
            let each = wish.parts.iter().map(|it| broken(*it, "checks", &problem.detail));
            rows.extend(each);
        }
    }
    let order = |it: &DrillRow| DrillPart::ALL.iter().position(|part| *part == it.part);
    rows.sort_by_key(order);
    let outcome = DrillOutcome::of(rows.iter().map(|it| it.met));
    let slowest = rows.iter().filter(|it| it.part == DrillPart::KillSwitch);
    let slowest = slowest.filter_map(|it| it.now_ms).max();
    let slowest = slowest.or_else(|| rows.iter().filter_map(|it| it.now_ms).max());
    let slowest = slowest.unwrap_or_default();
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let mut draft = Draft::default();
    let document = json!({
        "schema": "countersign.drill/1", "mode": "live", "drill": announced.id,
        "target": announced.record.slug, "name": announced.parsed.manifest.integration.name,
        "parts": wish.parts, "at": announced.at, "until": announced.until, "ended": now,
        "announced": announced.told, "rows": rows, "restored": restored, "run": assessment,
        "outcome": outcome, "slowest_ms": slowest, "exit": exit(outcome),
        "salt": app.keys.salt.digest("drill", announced.id.as_str()),
    });
    let report = draft.document(&document)?;
    let what = of(announced, |integration, drill| What::Drilled {
        integration,
        drill,
        outcome,
        slowest: Period::from_millis(slowest),
        report,
        assessment,
    });
    draft.event(now, Some(by), what);
    writer.commit(draft, now).await?;
    let record = find(writer.registry(), &wish.name)?.clone();
    drop(writer);
    with_last(app, &record, document).await
}

fn exit(outcome: DrillOutcome) -> u8 {
    match outcome {
        DrillOutcome::Met => 0,
        DrillOutcome::Missed => 3,
        DrillOutcome::Inconclusive => 5,
    }
}

/// Something of ours stood in the way: nothing was seen.
fn broken(part: DrillPart, path: &str, why: &str) -> DrillRow {
    DrillRow {
        part,
        path: path.to_owned(),
        subject: "manifest".to_owned(),
        target_ms: None,
        now_ms: None,
        met: None,
        seen: why.to_owned(),
    }
}

/// The rows of the checks that this drill ran.
async fn seen(
    app: &App,
    announced: &Announced,
    wish: &Wish,
    run: &Value,
) -> Result<(Option<AssessmentId>, Vec<DrillRow>), Problem> {
    let digest = run["assessment"].as_str().and_then(|it| it.parse::<Digest>().ok());
    let Some(digest) = digest else {
        let problems = run.pointer("/preflight/problems").and_then(Value::as_array);
        let first = problems.and_then(|it| it.first()).cloned().unwrap_or_default();
        let why = ["sentence", "message"].into_iter().find_map(|it| first.get(it)?.as_str());
        let why = format!("not judged: {}", why.unwrap_or("preflight failed"));
        return Ok((None, wish.parts.iter().map(|it| broken(*it, "preflight", &why)).collect()));
    };
    let assessment: Assessment = app.book.document(digest).await?;
    let mut rows = Vec::new();
    for it in assessment.evidence.iter().filter(|it| !it.kept) {
        let part = table::part_of(&it.check);
        if !part.is_some_and(|it| wish.parts.contains(&it)) {
            continue;
        }
        let evidence: Evidence = app.book.document(it.digest).await?;
        let manifest = &announced.parsed.manifest;
        rows.extend(table::rows(&evidence.transcript, &evidence.judgement, manifest));
    }
    Ok((Some(assessment.id), rows))
}

/// The newest live drills of an integration, the newest first.
pub async fn list(app: &App, name: &str) -> Result<Value, Problem> {
    let published = app.book.published();
    let record = find(&published.registry, name)?;
    let mut drills = Vec::with_capacity(record.drills.len());
    for it in record.drills.iter().rev() {
        drills.push(match &it.ended {
            Some(end) => told(app, end.report).await?,
            None => open(app, record, it),
        });
    }
    Ok(json!({ "schema": "countersign.drills/1", "target": record.slug, "drills": drills }))
}

/// A drill that has not ended: it runs, or it broke off.
fn open(app: &App, record: &Record, drill: &DrillRecord) -> Value {
    let running = app.busy.is_at(&format!("drill {}", record.id));
    let newest = record.drills.last().is_some_and(|it| it.id == drill.id);
    json!({
        "schema": "countersign.drill/1", "mode": "live", "drill": drill.id,
        "target": record.slug, "parts": drill.parts, "at": drill.at, "until": drill.until,
        "denies_until": drill.denies_until,
        "outcome": if running && newest { "running" } else { "broken off" },
    })
}

/// A report as it is told: without its salt.
async fn told(app: &App, report: Digest) -> Result<Value, Problem> {
    let mut document: Value = app.book.document(report).await?;
    if let Some(it) = document.as_object_mut() {
        it.remove("salt");
    }
    Ok(document)
}

/// A report, with the times of the runs before it beside each row, the newest first.
async fn with_last(app: &App, record: &Record, mut document: Value) -> Result<Value, Problem> {
    let mut last: BTreeMap<(String, String, String), Vec<Value>> = BTreeMap::new();
    let this = document["drill"].clone();
    let ended = record.drills.iter().rev().filter_map(|it| Some((it, it.ended.as_ref()?)));
    for (_, end) in ended.filter(|it| json!(it.0.id) != this) {
        let earlier = told(app, end.report).await?;
        for row in earlier["rows"].as_array().into_iter().flatten() {
            let times = last.entry(key(row)).or_default();
            if times.len() < LAST_MAX {
                times.push(row["now_ms"].clone());
            }
        }
    }
    for row in document["rows"].as_array_mut().into_iter().flatten() {
        let times = last.remove(&key(row)).unwrap_or_default();
        row["last_ms"] = json!(times);
    }
    if let Some(it) = document.as_object_mut() {
        it.remove("salt");
    }
    Ok(document)
}

fn key(row: &Value) -> (String, String, String) {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    (text("part"), text("path"), text("subject"))
}
