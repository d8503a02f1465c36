//! The kill switch at the gates: a deny that ends by itself, with a stopwatch.
//!
//! It touches neither the certificate nor its approvals, nor anything at a platform. Where trust is
//! really withdrawn meanwhile, that stands: a drill's end gives back nothing that it did not take.

use std::time::Duration;

use countersign_checks::drill::table::DrillRow;
use countersign_model::declare::path::Path;
use countersign_model::enforce::Reason;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::event::What;
use countersign_model::revoke::DrillPart;
use futures_util::future::join_all;
use serde::Serialize;

use super::announce::admitting;
use super::{Announced, of};
use crate::app::{App, GateAck};
use crate::book::{BookError, Draft};
use crate::clock::Stopwatch;
use crate::problem::Problem;

/// How often a path is knocked at.
const KNOCK_EVERY: Duration = Duration::from_millis(25);

/// What came of the deny.
#[derive(Debug, Default)]
pub(super) struct Denied {
    /// What was seen.
    pub(super) rows: Vec<DrillRow>,
    /// What came back, and how soon; none where nothing was denied.
    pub(super) restored: Option<Restored>,
}

/// What came back after the deny.
#[derive(Debug, Serialize)]
pub(super) struct Restored {
    /// How soon after its end, in milliseconds.
    pub(super) ms: u64,
    /// How long it denied, in milliseconds.
    pub(super) denied_ms: u64,
    /// Paths that let through again.
    pub(super) open: usize,
    /// Paths that had refused.
    pub(super) of: usize,
    /// Whether trust was really withdrawn meanwhile, so that nothing comes back.
    pub(super) withdrawn: bool,
}

/// A path in front of one lane.
struct Door<'a> {
    lane: Lane,
    path: &'a Path,
}

/// Denies at the gates of every lane that admits it, looks, and ends that.
pub(super) async fn rehearse(app: &App, announced: &Announced) -> Result<Denied, Problem> {
    let terms = &announced.parsed.manifest.revocation;
    let wait = terms.prove_within.min(app.config.wait);
    let lanes = admitting(&app.book.published(), &announced.record);
    if lanes.is_empty() {
        return Ok(Denied::default());
    }
    let paths = announced.parsed.manifest.paths();
    let doors: Vec<Door<'_>> =
        lanes.iter().flat_map(|lane| paths.iter().map(|path| Door { lane: *lane, path })).collect();
    let watch = Stopwatch::start();
    // Whatever becomes of this server, no gate denies longer than it takes to see that it does.
    let until = (app.clock.now() + wait + wait).min(announced.until);
    let denied =
        of(announced, |integration, drill| What::DrillDenied { integration, drill, until });
    let epoch = write(app, denied).await?;
    let (gates, knocked) = tokio::join!(
        hear(app, &lanes, epoch, wait.std(), watch),
        join_all(doors.iter().map(|it| shut(app, announced, it, (wait.std(), watch))))
    );
    let denied_ms = watch.ms();
    let lifted = of(announced, |integration, drill| What::DrillLifted { integration, drill });
    let again = Stopwatch::start();
    let epoch = write(app, lifted).await?;
    let shut: Vec<&Door<'_>> = doors
        .iter()
        .zip(&knocked)
        .filter(|(_, it)| matches!(it, Knocked::Refused { .. }))
        .map(|it| it.0)
        .collect();
    let withdrawn = || is_withdrawn(app, announced);
    let (_, back) = tokio::join!(
        hear(app, &lanes, epoch, wait.std(), again),
        join_all(shut.iter().map(|it| open(app, announced, it, wait.std())))
    );
    let restored = Restored {
        ms: again.ms(),
        denied_ms,
        open: back.iter().filter(|it| **it).count(),
        of: shut.len(),
        withdrawn: withdrawn(),
    };
    let limit = terms.deny_within.millis();
    let mut rows = gates_of(&lanes, &gates, limit);
    rows.extend(doors.iter().zip(knocked).map(|(door, it)| row(door, it, limit)));
    if restored.open < restored.of && !restored.withdrawn {
        rows.push(not_back(&restored));
    }
    Ok(Denied { rows, restored: Some(restored) })
}

async fn write(app: &App, what: What) -> Result<u64, BookError> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let mut draft = Draft::default();
    draft.event(now, None, what);
    writer.commit(draft, now).await?;
    drop(writer);
    Ok(app.book.published().epoch)
}

fn is_withdrawn(app: &App, announced: &Announced) -> bool {
    let published = app.book.published();
    let record = published.registry.integrations.get(&announced.record.id);
    let withdrawal = record.and_then(|it| it.withdrawal.as_ref());
    withdrawal.is_some_and(|it| it.is_active(app.clock.now()))
}

async fn hear(
    app: &App,
    lanes: &[Lane],
    epoch: u64,
    wait: Duration,
    watch: Stopwatch,
) -> Vec<(Lane, Vec<GateAck>)> {
    let each =
        lanes.iter().map(async |lane| (*lane, app.wait_for_gates(*lane, epoch, wait, watch).await));
    join_all(each).await
}

/// What knocking came to.
enum Knocked {
    /// The gate let it through until the time was over.
    LetThrough,
    /// It refused, for this reason, so soon.
    Refused { ms: u64, reason: String },
    /// Nobody answered, or there is no way to knock.
    Unheard(String),
}

/// Knocks until the gate refuses because trust is withdrawn.
async fn shut(
    app: &App,
    announced: &Announced,
    door: &Door<'_>,
    (wait, watch): (Duration, Stopwatch),
) -> Knocked {
    let manifest = &announced.parsed.manifest;
    let mut last = Knocked::Unheard("no answer in time".to_owned());
    let knocking = async {
        loop {
            match app.world.knock(door.lane, manifest, door.path).await {
                Ok(Some(reason)) if is_denial(&reason) => {
                    return Knocked::Refused { ms: watch.ms(), reason };
                }
                Ok(_) => last = Knocked::LetThrough,
                Err(error) => last = Knocked::Unheard(error.0),
            }
            tokio::time::sleep(KNOCK_EVERY).await;
        }
    };
    let refused = tokio::time::timeout(wait, knocking).await;
    refused.unwrap_or(last)
}

/// Knocks until the gate no longer refuses for that reason.
async fn open(app: &App, announced: &Announced, door: &Door<'_>, wait: Duration) -> bool {
    let manifest = &announced.parsed.manifest;
    let knocking = async {
        loop {
            let answer = app.world.knock(door.lane, manifest, door.path).await;
            if answer.is_ok_and(|it| !it.is_some_and(|it| is_denial(&it))) {
                return true;
            }
            // A withdrawal stands: nothing comes back, and nobody waits for it.
            if is_withdrawn(app, announced) {
                return false;
            }
            tokio::time::sleep(KNOCK_EVERY).await;
        }
    };
    tokio::time::timeout(wait, knocking).await.unwrap_or(false)
}

fn is_denial(reason: &str) -> bool {
    [Reason::Suspended, Reason::Revoked].iter().any(|it| it.code() == reason)
}

fn lane_word(lane: Lane) -> &'static str {
    match lane {
        Lane::Certified => "production",
        Lane::Trial => "test",
    }
}

/// One row for the gates of each lane: when the first and when the last of them denied.
fn gates_of(lanes: &[Lane], heard: &[(Lane, Vec<GateAck>)], limit: u64) -> Vec<DrillRow> {
    let mut rows = Vec::new();
    for lane in lanes {
        let gates: Vec<&GateAck> =
            heard.iter().filter(|it| it.0 == *lane).flat_map(|it| &it.1).collect();
        if gates.is_empty() {
            continue;
        }
        let times: Vec<u64> = gates.iter().filter_map(|it| it.ms).collect();
        let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
        let silent: Vec<&str> =
            gates.iter().filter(|it| it.ms.is_none()).map(|it| it.gate.as_str()).collect();
        let seen = match (first, silent.is_empty()) {
            (Some(first), true) => format!("the first denied after {first} ms"),
            (Some(first), false) => {
                format!("the first denied after {first} ms; not heard: {}", silent.join(", "))
            }
            (None, _) => format!("not heard: {}", silent.join(", ")),
        };
        let all = times.len() == gates.len();
        rows.push(DrillRow {
            part: DrillPart::KillSwitch,
            path: format!("{} gates", lane_word(*lane)),
            subject: format!("{} of {} gates", times.len(), gates.len()),
            target_ms: Some(limit),
            now_ms: last.filter(|_| all),
            met: Some(all && last.is_some_and(|it| it <= limit)),
            seen,
        });
    }
    rows
}

fn row(door: &Door<'_>, knocked: Knocked, limit: u64) -> DrillRow {
    let (met, now_ms, seen) = match knocked {
        Knocked::LetThrough => (Some(false), None, "the gate lets it through".to_owned()),
        Knocked::Refused { ms, reason } => (Some(ms <= limit), Some(ms), format!("gate: {reason}")),
        Knocked::Unheard(why) => (None, None, why),
    };
    DrillRow {
        part: DrillPart::KillSwitch,
        path: format!("{} {}", lane_word(door.lane), door.path.kind.word()),
        subject: door.path.subject.clone(),
        target_ms: Some(limit),
        now_ms,
        met,
        seen,
    }
}

fn not_back(restored: &Restored) -> DrillRow {
    DrillRow {
        part: DrillPart::KillSwitch,
        path: "restored".to_owned(),
        subject: format!("{} of {} paths", restored.open, restored.of),
        target_ms: None,
        now_ms: None,
        met: Some(false),
        seen: "the gates go on denying after the drill".to_owned(),
    }
}
