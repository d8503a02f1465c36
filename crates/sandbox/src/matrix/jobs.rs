//! Every circumstance is a world of its own, so that none leaves anything behind for the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use countersign_checks::check::Stage;
use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::Platform;
use countersign_checks::registry;
use countersign_checks::run::{Limits, RunInput, look};
use countersign_checks::secrets::Secrets;
use countersign_model::check::{Evidence, Verdict};
use countersign_model::declare::{Format, Parsed, parse};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::enforce::{Call, Reason};
use countersign_model::id::{PersonId, WaiverId};
use countersign_model::review::waiver::Waiver;
use countersign_model::time::Period;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Matrix, Mutant, ROWS, Scenario};
use crate::manifests::{Version, text};
use crate::{Fault, Kind, StartError, World, clock};

/// Worlds at the same time: they mostly wait, for windows, drills and time-outs.
const WORLDS_MAX: usize = 8;
/// How long one check may take.
const CHECK_MAX: Duration = Duration::from_secs(30);
/// How long where somebody never answers: what hangs is cut short.
const HANGING_MAX: Duration = Duration::from_secs(7);
/// How many pieces of work a partner has done before it is observed.
const WORK: u32 = 60;
/// How long it is observed where its manifest does not say.
const WINDOW: Duration = Duration::from_secs(2);

/// One world, and the checks that look at it.
#[derive(Debug)]
struct Job {
    scenario: Scenario,
    checks: BTreeSet<String>,
}

pub(super) async fn run(only: Option<&BTreeSet<String>>) -> Result<Matrix, StartError> {
    let places = Arc::new(Semaphore::new(WORLDS_MAX));
    let mut running = JoinSet::new();
    for job in jobs(only) {
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire_owned().await;
            let evidence = job.run().await;
            (job, evidence)
        });
    }
    let mut matrix = Matrix { verdicts: BTreeMap::new(), told: BTreeMap::new() };
    while let Some(done) = running.join_next().await {
        let (job, evidence) = done.map_err(|it| StartError::Refused(it.to_string()))?;
        let evidence = evidence?;
        for row in ROWS.iter().filter(|it| job.checks.contains(it.check)) {
            let mine = evidence.iter().filter(|it| it.transcript.check == row.check);
            let worst = mine.max_by_key(|it| weight(it.judgement.verdict));
            let Some(worst) = worst else { continue };
            let key = (row.check, job.scenario);
            let judgement = &worst.judgement;
            matrix.verdicts.insert(key, judgement.verdict);
            let told = format!("{}: {}", judgement.sentence, judgement.observed);
            matrix.told.insert(key, told);
        }
    }
    Ok(matrix)
}

/// Of several subjects the worst verdict counts.
fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::NotApplicable => 0,
        Verdict::Pass => 1,
        Verdict::Inconclusive => 2,
        Verdict::Fail => 3,
    }
}

/// The jobs, those that take longest first.
fn jobs(only: Option<&BTreeSet<String>>) -> Vec<Job> {
    let mut jobs: BTreeMap<Scenario, BTreeSet<String>> = BTreeMap::new();
    for row in ROWS.iter().filter(|it| only.is_none_or(|only| only.contains(it.check))) {
        for scenario in row.scenarios() {
            jobs.entry(scenario).or_default().insert(row.check.to_owned());
        }
    }
    let mut jobs: Vec<Job> =
        jobs.into_iter().map(|(scenario, checks)| Job { scenario, checks }).collect();
    jobs.sort_by_key(|it| match it.scenario {
        it if it.hangs() => 0,
        Scenario::Right(_) => 1,
        Scenario::Mutant(Mutant::Does(..)) => 2,
        _ => 3,
    });
    jobs
}

impl Job {
    async fn run(&self) -> Result<Vec<Evidence>, StartError> {
        let world = tokio::task::spawn_blocking(World::start)
            .await
            .map_err(|it| StartError::Refused(it.to_string()))??;
        world.put_gate(Lane::Trial, Arc::new(|_: &Call| Reason::Admitted));
        let kind = self.scenario.kind();
        let mut waivers = Vec::new();
        let parsed = self.manifest()?;
        match self.scenario {
            Scenario::Mutant(Mutant::Does(_, fault)) => world.set_faults(kind, [fault]).await?,
            Scenario::Mutant(Mutant::Early(_)) => {
                world.put_gate(Lane::Certified, Arc::new(|_: &Call| Reason::Admitted));
                world.partner(kind).business(Lane::Certified, 1).await;
            }
            Scenario::Mutant(Mutant::Excepted(_)) => waivers.push(waiver(&parsed)),
            Scenario::Mutant(Mutant::Says(..))
            | Scenario::Partner(..)
            | Scenario::Platform(..)
            | Scenario::Right(_) => {}
        }
        if self.is_observed() {
            world.partner(kind).business(Lane::Trial, WORK).await;
            let window = parsed.manifest.observation.as_ref().map(|it| it.window);
            tokio::time::sleep(window.map_or(WINDOW, Period::std)).await;
        }
        if kind == Kind::Payrun {
            world.partner(kind).keep_busy(Lane::Trial, Duration::from_millis(200));
        }
        if let Scenario::Partner(_, fault) = self.scenario {
            world.set_faults(kind, [fault]).await?;
        }
        if let Scenario::Platform(_, fault) = self.scenario {
            world.break_platform([fault]).await?;
        }
        let evidence = self.look(&world, &parsed, waivers).await;
        world.rest();
        evidence
    }

    /// Whether a check reads what the partner's work has left in the records.
    fn is_observed(&self) -> bool {
        let stages = self.checks.iter().filter_map(|it| Some(registry::find(it)?.stage()));
        stages.into_iter().any(|it| it == Stage::Afterwards)
    }

    fn manifest(&self) -> Result<Parsed, StartError> {
        let kind = self.scenario.kind();
        let mut written = text(kind, Version::Right);
        if let Scenario::Mutant(Mutant::Says(_, from, to)) = self.scenario {
            written = written.replacen(from, to, 1);
        }
        parse(&written, Format::Toml).map_err(|_| StartError::Manifest(kind.slug()))
    }

    async fn look(
        &self,
        world: &World,
        parsed: &Parsed,
        waivers: Vec<Waiver>,
    ) -> Result<Vec<Evidence>, StartError> {
        let clock = Arc::new(SystemClock::start());
        let connector = |lane| -> Result<Arc<dyn Platform>, StartError> {
            let connector = world.connector(lane, Arc::clone(&clock) as _);
            Ok(connector.map_err(|it| StartError::Refused(it.to_string()))?)
        };
        let hosts = self.scenario.kind().hosts().iter().copied().chain(crate::role::hosts());
        let input = RunInput {
            manifest: &parsed.manifest,
            manifest_digest: parsed.digest,
            only: Some(&self.checks),
            settings: BTreeMap::new(),
            talk: TalkConfig {
                resolve: world.net().resolve.clone(),
                ca: Some(world.net().ca_pem.clone().into_bytes()),
                proved: hosts.map(str::to_owned).collect(),
                ..TalkConfig::default()
            },
            platform: Some(connector(Lane::Trial)?),
            harness: Some(world.harness()?),
            production: Some(connector(Lane::Certified)?),
            sources: world.sources(),
            secrets: Secrets::new(world.secrets()),
            waivers,
            certified_since: None,
            observed_since: None,
            clock: Arc::clone(&clock) as _,
            salt: [7; 32],
            collector: "matrix".to_owned(),
            limits: Limits { check: self.scenario.check_max(), ..Limits::default() },
            keeper: None,
        };
        look(input).await.map_err(|it| StartError::Refused(it.to_string()))
    }
}

impl Scenario {
    fn hangs(self) -> bool {
        matches!(self, Self::Partner(_, Fault::Hangs) | Self::Platform(_, Fault::Hangs))
    }

    fn check_max(self) -> Duration {
        if self.hangs() { HANGING_MAX } else { CHECK_MAX }
    }
}

/// An exception that somebody granted to themselves.
fn waiver(parsed: &Parsed) -> Waiver {
    let now = clock::now();
    let person = PersonId::new(now, [8; 10]);
    Waiver {
        id: WaiverId::new(now, [7; 10]),
        control: "CTS-LOG-05".to_owned(),
        manifest: parsed.digest,
        requester: person.clone(),
        granter: Some(person),
        until: now + Period::from_days(7),
        ended: None,
    }
}
