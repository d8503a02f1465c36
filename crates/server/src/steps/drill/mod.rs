//! Step 8, rehearsed: a live drill is a run of checks, announced before it begins, bounded, undone.
//!
//! It makes evidence as every other run does, and nothing beside it: the figures are the checks' own.
//! What it adds is who was told, a deny at the gates that ends by itself, and a table of times.

mod announce;
mod deny;
mod report;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use countersign_checks::drill::load::Load;
use countersign_checks::drill::table;
use countersign_model::declare::Parsed;
use countersign_model::declare::hours::Hours;
use countersign_model::event::What;
use countersign_model::id::{DrillId, PersonId};
use countersign_model::registry::Record;
use countersign_model::revoke::{DrillPart, WithdrawalKind};
use countersign_model::time::{Period, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::partial::Wanted;
use crate::app::{App, find};
use crate::clock::Stopwatch;
use crate::problem::Problem;

pub use report::list;

/// How long a drill may take where nothing else is said.
const WINDOW: Period = Period::from_seconds(600);
/// A shorter window is no drill.
const WINDOW_MIN: Period = Period::from_seconds(10);
/// A longer one is an outage.
const WINDOW_MAX: Period = Period::from_hours(4);

/// Whether anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DrillMode {
    /// It is done, and undone.
    Live,
    /// It is only said what would be done.
    #[default]
    Shadow,
}

/// What a person sends to have a drill.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DrillRequest {
    /// The integration.
    pub integration: String,
    /// `shadow` (when left out) or `live`.
    #[serde(default)]
    pub mode: DrillMode,
    /// Some of `kill-switch`, `rotate`, `subscription`, `offboard`, `audit`; all when left out.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub only: BTreeSet<DrillPart>,
    /// How long it may take at most: `10m` when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub window: Option<Period>,
    /// How hard a copy works while its key is changed: `per_second` (50 when left out, 200 at most) and
    /// `seconds` (20 when left out, 60 at most). When all of it is left out: 10 a second for 4 s.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub load: Option<Load>,
}

/// Has a drill, or says what one would do.
pub async fn drill(app: &Arc<App>, by: &PersonId, request: DrillRequest) -> Result<Value, Problem> {
    let window = request.window.unwrap_or(WINDOW);
    if window < WINDOW_MIN || WINDOW_MAX < window {
        let text = format!("a window is {WINDOW_MIN} to {WINDOW_MAX} long");
        return Err(Problem::new(422, "window", text));
    }
    if let Some(text) = request.load.and_then(Load::refusal) {
        return Err(Problem::new(422, "load", text));
    }
    let parts = if request.only.is_empty() { DrillPart::ALL.into() } else { request.only.clone() };
    let wish = Wish { name: request.integration, parts, window, load: request.load };
    match request.mode {
        DrillMode::Shadow => announce::shadow(app, &wish).await,
        DrillMode::Live => {
            let (app, by) = (Arc::clone(app), by.clone());
            // A task of its own: whoever stops waiting for it does not keep it from ending.
            let task = tokio::spawn(async move { live(&app, &by, &wish).await });
            task.await.map_err(|it| Problem::broken(&it))?
        }
    }
}

/// What is wanted of a drill.
#[derive(Debug)]
struct Wish {
    name: String,
    parts: BTreeSet<DrillPart>,
    window: Period,
    load: Option<Load>,
}

/// A drill that was announced.
#[derive(Debug)]
struct Announced {
    id: DrillId,
    at: Timestamp,
    until: Timestamp,
    record: Record,
    parsed: Parsed,
    /// Who was told.
    told: Vec<Value>,
}

async fn live(app: &App, by: &PersonId, wish: &Wish) -> Result<Value, Problem> {
    let watch = Stopwatch::start();
    let id = find(&app.book.published().registry, &wish.name)?.id.clone();
    let Some(_busy) = app.busy.enter(&format!("drill {id}")) else {
        return Err(Problem::new(409, "drilling", "a drill of it is under way"));
    };
    let announced = announce::announce(app, by, wish).await?;
    let switched = if wish.parts.contains(&DrillPart::KillSwitch) {
        deny::rehearse(app, &announced).await
    } else {
        Ok(deny::Denied::default())
    };
    let checks = wish.parts.iter().flat_map(|it| table::checks(*it));
    let spent = Duration::from_millis(watch.ms());
    let wanted = Wanted {
        only: checks.map(|it| (*it).to_owned()).collect(),
        repeat: 1,
        within: Some(wish.window.std().saturating_sub(spent)),
        load: wish.load,
    };
    let assessed = super::check::assess(app, by, &wish.name, &wanted).await;
    report::conclude(app, by, &announced, wish, (switched, assessed)).await
}

/// Why no drill may be had now: it is withdrawn already, or it is outside of the hours.
fn is_allowed(
    record: &Record,
    parsed: &Parsed,
    window: Period,
    now: Timestamp,
) -> Result<(), Problem> {
    if let Some(it) = record.withdrawal.as_ref().filter(|it| it.is_active(now)) {
        let (code, word) = match it.kind {
            WithdrawalKind::Revoke => ("revoked", "revoked"),
            WithdrawalKind::Suspend => ("suspended", "suspended"),
        };
        let text = format!("it is {word}; what is withdrawn cannot be rehearsed");
        return Err(Problem::new(409, code, text));
    }
    let Some(rules) = &parsed.manifest.rules_of_engagement else { return Ok(()) };
    let Ok(hours) = rules.hours.parse::<Hours>() else {
        return Err(Problem::new(
            422,
            "hours",
            "the hours of [rules_of_engagement] cannot be read",
        ));
    };
    match hours.next_stretch(now, window) {
        Some(at) if at <= now => Ok(()),
        Some(at) => {
            let text = format!(
                "a drill of {window} does not fit the hours of [rules_of_engagement] now ({hours}); the next time is {at}"
            );
            Err(Problem::new(409, "outside-hours", text))
        }
        None => {
            let text = format!(
                "no stretch of {window} lies inside the hours of [rules_of_engagement] ({hours}); ask for a shorter window"
            );
            Err(Problem::new(422, "window", text))
        }
    }
}

/// The event that ends a drill's deny, or the drill.
fn of(
    announced: &Announced,
    what: impl FnOnce(countersign_model::id::IntegrationId, DrillId) -> What,
) -> What {
    what(announced.record.id.clone(), announced.id.clone())
}

/// What is shown of the newest drill of an integration, in a row of the list.
pub(crate) fn newest(record: &Record) -> Value {
    let ended = record.drills.iter().rev().find_map(|it| Some((it, it.ended.as_ref()?)));
    ended.map_or(Value::Null, |(it, end)| {
        json!({
            "drill": it.id, "at": end.at, "outcome": end.outcome,
            "slowest_ms": end.slowest.millis(),
        })
    })
}
