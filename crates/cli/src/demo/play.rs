//! The four lives are played at the same time, and told one after the other.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_ledger::VerifierKey;
use countersign_sandbox::Kind;
use countersign_server::clock::Stopwatch;
use countersign_server::pack::{Keys, Pins};
use futures_util::future::join_all;

use super::cast::Cast;
use super::chapter::Chapter;
use super::record;
use super::report::{DEMO_SCHEMA, Life, Report};
use super::story::Story;
use super::until::until;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stage::{self, Options, PersonKey, Sandbox, Stage};
use crate::ui::Ui;

/// How long the gates may take to hear their server.
const PATIENCE: Duration = Duration::from_secs(10);

/// Plays everything in a folder, and leaves nothing running.
pub(crate) async fn play(ui: Ui, folder: &Path) -> Result<Report, Failure> {
    let watch = Stopwatch::start();
    let running = stage::start(folder, Options::default()).await.map_err(|it| stage_failed(&it))?;
    let told = tell(ui, &running.stage, &running.sandbox).await;
    // Whatever was told, everything is ended before anything is said about it.
    let ended = running.shutdown().await.map_err(|it| stage_failed(&it));
    let (integrations, log) = told?;
    ended?;
    let problems: Vec<String> = integrations.iter().flat_map(Life::problems).collect();
    for problem in &problems {
        ui.say(format!("NOT AS IT MUST BE  {problem}"));
    }
    let (log_verified, log_entries) = match log {
        Ok(entries) => (true, entries),
        Err(failure) => {
            ui.failure(&failure);
            (false, 0)
        }
    };
    Ok(Report {
        schema: DEMO_SCHEMA,
        ok: problems.is_empty() && log_verified && integrations.len() == Kind::ALL.len(),
        seconds: watch.ms().div_ceil(1_000),
        log_verified,
        log_entries,
        integrations,
    })
}

type Told = (Vec<Life>, Result<u64, Failure>);

async fn tell(ui: Ui, stage: &Stage, sandbox: &Arc<Sandbox>) -> Result<Told, Failure> {
    let cast = Arc::new(cast(stage)?);
    let pins = Arc::new(pins(stage)?);
    ready(sandbox).await?;
    sandbox.busy(true);
    let playing = Kind::ALL.map(async |kind| {
        let (cast, sandbox, pins) = (Arc::clone(&cast), Arc::clone(sandbox), Arc::clone(&pins));
        let story = Story { cast, sandbox, kind, pins };
        let mut chapter = Chapter::new(&title(kind));
        let life = story.play(&mut chapter).await;
        ui.say(format!("{} is told", kind.slug()));
        (chapter, life)
    });
    let mut lives = Vec::new();
    let played = join_all(playing).await;
    sandbox.busy(false);
    for (chapter, life) in played {
        if !ui.json {
            for line in chapter.lines() {
                ui.line(line);
            }
            ui.line("");
        }
        lives.push(life);
    }
    let lives = lives.into_iter().collect::<Result<Vec<Life>, Failure>>()?;
    let key = VerifierKey::log(stage.origin(), stage.keys.log.public())
        .map_err(|it| Failure::new(Exit::Broken, "the log has no name").because(&it))?;
    Ok((lives, record::log(&cast, &key).await))
}

/// The keys that a stage's folder pins.
pub(super) fn pins(stage: &Stage) -> Result<Pins, Failure> {
    let text = crate::command::read_text(&stage.folder.join("keys.json"))?;
    let broken = |it: &dyn std::error::Error| {
        Failure::new(Exit::Broken, "the pinned keys cannot be read").because(it)
    };
    let keys: Keys = serde_json::from_str(&text).map_err(|it| broken(&it))?;
    Pins::all(&keys).map_err(|it| broken(&it))
}

/// The people of a stage, each with a connection.
pub(super) fn cast(stage: &Stage) -> Result<Cast, Failure> {
    let mut people = Vec::new();
    for it in &stage.people {
        let key = it.key.as_ref().map(PersonKey::open).transpose();
        let key = key.map_err(|it| stage_failed(&it))?;
        people.push((it.name.to_owned(), it.token.clone(), key));
    }
    Cast::new(&stage.server(), people)
}

/// Waits until every gate has heard its server.
pub(super) async fn ready(sandbox: &Sandbox) -> Result<(), Failure> {
    let heard = until(PATIENCE, async || {
        sandbox.gates.iter().all(|(_, gate)| 0 < gate.epoch()).then_some(())
    });
    heard.await.ok_or_else(|| Failure::new(Exit::Broken, "the gates never heard their server"))
}

fn title(kind: Kind) -> String {
    let what = match kind {
        Kind::Acme => "a SaaS vendor",
        Kind::Meridian => "a suite of everything",
        Kind::Northwind => "a reseller",
        Kind::Payrun => "a payroll partner",
        Kind::Shiftly => "a marketplace app",
    };
    format!("{} · {what}", kind.slug())
}

pub(super) fn stage_failed(error: &stage::StageError) -> Failure {
    Failure::new(Exit::Broken, "the stage failed").because(error)
}
