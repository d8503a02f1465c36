//! One run: preflight, then the checks, stage by stage, bounded in number and in time.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use countersign_model::check::evidence::EVIDENCE_SCHEMA;
use countersign_model::check::{Evidence, EvidenceRef};
use countersign_model::declare::Manifest;
use countersign_model::id::EvidenceId;
use countersign_model::registry::{CameBack, came_back};
use countersign_model::review::waiver::Waiver;
use countersign_model::time::Timestamp;
use countersign_seal::{CanonicalError, Digest, digest_of};
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore};

use crate::canaries::Kept;
use crate::check::{CUT_SHORT, Check, NO_SUBJECT, Stage, conclude};
use crate::harness::Harness;
use crate::live::client::{Client, TalkConfig, TalkConfigError};
use crate::live::clock::Clock;
use crate::live::entropy;
use crate::once::Once;
use crate::platform::Platform;
use crate::preflight::{Preflight, preflight};
use crate::progress::Progress;
use crate::registry::{self, CHECKS};
use crate::secrets::Secrets;
use crate::settings;
use crate::talk::{Means, Talk};

/// What a run is about, and what it may use.
#[derive(Debug)]
pub struct RunInput<'a> {
    /// What is looked at.
    pub manifest: &'a Manifest,
    /// Its digest.
    pub manifest_digest: Digest,
    /// The checks to run; none for all.
    pub only: Option<&'a BTreeSet<String>>,
    /// Figures in place of those of the manifest's own profile.
    pub settings: BTreeMap<String, Value>,
    /// How names are found and who may be attacked.
    pub talk: TalkConfig,
    /// The test tenant.
    pub platform: Option<Arc<dyn Platform>>,
    /// Our own side: what partners call while they are looked at.
    pub harness: Option<Arc<Harness>>,
    /// The production tenant; it is only read.
    pub production: Option<Arc<dyn Platform>>,
    /// Where each repository of the manifest lies on this machine.
    pub sources: BTreeMap<String, PathBuf>,
    /// Secrets by name.
    pub secrets: Secrets,
    /// The exceptions in force.
    pub waivers: Vec<Waiver>,
    /// Since when a certificate has been in force; none before the first.
    pub certified_since: Option<Timestamp>,
    /// Since when this manifest is at work at the test tenant; what was before is another's.
    pub observed_since: Option<Timestamp>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Salts digests of what is taken out.
    pub salt: [u8; 32],
    /// Who looks.
    pub collector: String,
    /// Limits of the run.
    pub limits: Limits,
    /// Who keeps what is tried again long after; none where nobody does.
    pub keeper: Option<Keeper>,
}

/// Somebody who keeps the credentials of what was offboarded, and tries them again when it is time.
#[derive(Debug, Clone, Default)]
pub struct Keeper {
    /// What came back, by what it was a copy of, and was not seen to stay away as long since.
    pub came_back: BTreeMap<String, CameBack>,
}

impl Keeper {
    /// What came back of a client, or of one that the manifest declares no longer.
    pub(crate) fn came_back(
        &self,
        subject: &str,
        is_declared: impl Fn(&str) -> bool,
    ) -> Option<&CameBack> {
        came_back(&self.came_back, subject, is_declared)
    }
}

/// Limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many checks run at the same time.
    pub parallel: usize,
    /// How long one check may take.
    pub check: Duration,
    /// How long all of them may take.
    pub run: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { parallel: 16, check: Duration::from_mins(30), run: Duration::from_hours(2) }
    }
}

/// What a run came to.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// Whether it could be judged at all. If not, there is no evidence.
    pub preflight: Preflight,
    /// What was said and seen, and what follows, in the order of the registry.
    pub evidence: Vec<Evidence>,
    /// What the keeper is to try again later.
    pub kept: Vec<Kept>,
}

/// A run could not be done. It says nothing about a partner.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The look itself broke.
    #[error("the look itself broke")]
    Broken,
    /// This machine gives no randomness.
    #[error("this machine gives no randomness")]
    Entropy,
    /// The settings are of no use.
    #[error("the way to the partner cannot be set up")]
    Settings(#[from] TalkConfigError),
    /// A check is asked for that does not exist.
    #[error("there is no check named `{0}`")]
    Unknown(String),
}

/// Asks whether it can be judged, and judges when it can.
pub async fn run(input: RunInput<'_>) -> Result<RunReport, RunError> {
    run_telling(input, Arc::default()).await
}

/// The same, and tells how far it has come.
pub async fn run_telling(
    input: RunInput<'_>,
    progress: Arc<Progress>,
) -> Result<RunReport, RunError> {
    let job = Job { progress, ..Job::of(input)? };
    let preflight = preflight(&job.means).await;
    let looked = if preflight.is_ok() { job.look().await? } else { Vec::new() };
    let (evidence, kept): (Vec<_>, Vec<_>) = looked.into_iter().unzip();
    Ok(RunReport { preflight, evidence, kept: kept.into_iter().flatten().collect() })
}

/// Judges without asking first whether it can be judged: for tests of single checks.
pub async fn look(input: RunInput<'_>) -> Result<Vec<Evidence>, RunError> {
    Ok(look_keeping(input).await?.0)
}

/// The same, with what a keeper is to try again later.
pub async fn look_keeping(input: RunInput<'_>) -> Result<(Vec<Evidence>, Vec<Kept>), RunError> {
    let (evidence, kept): (Vec<_>, Vec<_>) = Job::of(input)?.look().await?.into_iter().unzip();
    Ok((evidence, kept.into_iter().flatten().collect()))
}

/// One look of a check that is none of the registry's: what was begun earlier is looked at again.
pub(crate) async fn look_later(
    input: RunInput<'_>,
    check: Arc<dyn Check + Send + Sync>,
    subject: String,
) -> Result<Evidence, RunError> {
    let job = Job::of(input)?;
    // A task of its own: whoever stops waiting for it does not stop it from undoing.
    let looking = tokio::spawn(async move {
        let until_ms = job.until_ms();
        let one = One {
            check: check.as_ref(),
            subject: Some(subject),
            means: job.means,
            collector: job.collector,
            check_max: job.limits.check,
            until_ms,
            progress: job.progress,
        };
        one.look(Turns::new(1)).await
    });
    Ok(looking.await.map_err(|_| RunError::Broken)??.0)
}

/// A piece of evidence as an assessment names it.
pub fn reference(evidence: &Evidence) -> Result<EvidenceRef, CanonicalError> {
    let info = registry::find(&evidence.transcript.check).map(<dyn Check>::info);
    let controls = info.map(|it| it.controls).unwrap_or_default();
    Ok(EvidenceRef {
        id: evidence.id.clone(),
        digest: digest_of(evidence)?,
        check: evidence.transcript.check.clone(),
        case: info.and_then(|it| it.case).map(str::to_owned),
        controls: controls.iter().map(|it| (*it).to_owned()).collect(),
        subject: evidence.transcript.subject.clone(),
        at: evidence.at,
        judgement: evidence.judgement.clone(),
        kept: false,
    })
}

/// A check that looks at something, with its place in the evidence.
type Due = ((usize, usize), &'static dyn Check, Option<String>);

struct Job {
    means: Arc<Means>,
    only: Option<BTreeSet<String>>,
    collector: String,
    limits: Limits,
    progress: Arc<Progress>,
}

impl Job {
    fn of(input: RunInput<'_>) -> Result<Self, RunError> {
        let unknown = |it: &&String| registry::find(it).is_none();
        if let Some(name) = input.only.and_then(|it| it.iter().find(unknown)) {
            return Err(RunError::Unknown(name.clone()));
        }
        let mut settings = settings::of_manifest(input.manifest);
        settings.extend(input.settings);
        let means = Means {
            manifest: Arc::new(input.manifest.clone()),
            digest: input.manifest_digest,
            client: Client::new(&input.talk, input.manifest)?
                .and_own(input.platform.as_ref().and_then(|it| it.reach())),
            platform: input.platform,
            harness: input.harness,
            production: input.production,
            sources: input.sources,
            secrets: input.secrets,
            settings,
            waivers: input.waivers,
            certified_since: input.certified_since,
            observed_since: input.observed_since,
            clock: input.clock,
            salt: input.salt,
            rotations: Once::default(),
            looks: Once::default(),
            keeper: input.keeper,
        };
        Ok(Self {
            means: Arc::new(means),
            only: input.only.cloned(),
            collector: input.collector,
            limits: input.limits,
            progress: Arc::default(),
        })
    }

    /// Which checks of a stage look at what; each with its place in the evidence.
    fn due(&self, stage: Stage) -> Vec<Due> {
        let is_due = |it: &&dyn Check| {
            let name = it.info().name;
            it.stage() == stage && self.only.as_ref().is_none_or(|only| only.contains(name))
        };
        let checks = CHECKS.iter().copied().enumerate().filter(|(_, it)| is_due(it));
        let each = checks.flat_map(|(row, check)| {
            let subjects = subjects(check, &self.means.manifest).into_iter().enumerate();
            subjects.map(move |(column, subject)| ((row, column), check, subject))
        });
        each.collect()
    }

    /// When the time of the run is over, by the stopwatch.
    fn until_ms(&self) -> u64 {
        let run_ms = u64::try_from(self.limits.run.as_millis()).unwrap_or(u64::MAX);
        self.means.clock.monotonic_ms().saturating_add(run_ms)
    }

    async fn look(&self) -> Result<Vec<Looked>, RunError> {
        let mut found: BTreeMap<(usize, usize), Looked> = BTreeMap::new();
        let until_ms = self.until_ms();
        let turns = Turns::new(self.limits.parallel);
        self.progress.expect(Stage::ALL.iter().map(|it| self.due(*it).len()).sum());
        for stage in Stage::ALL {
            let mut running = Vec::new();
            for (place, check, subject) in self.due(stage) {
                let one = One {
                    check,
                    subject,
                    means: Arc::clone(&self.means),
                    collector: self.collector.clone(),
                    check_max: self.limits.check,
                    until_ms,
                    progress: Arc::clone(&self.progress),
                };
                // A task of its own: whoever stops waiting for it does not stop it from undoing.
                running.push((place, tokio::spawn(one.look(turns.clone()))));
            }
            for (place, task) in running {
                if let Ok(looked) = task.await {
                    found.insert(place, looked?);
                }
            }
        }
        Ok(found.into_values().collect())
    }
}

/// A check and what it looks at; nothing, where it does not apply.
fn subjects(check: &dyn Check, manifest: &Manifest) -> Vec<Option<String>> {
    let declared = check.subjects(manifest);
    if declared.is_empty() { vec![None] } else { declared.into_iter().map(Some).collect() }
}

/// What a look came to, and what is to be tried again later.
type Looked = (Evidence, Option<Kept>);

struct One<'a> {
    check: &'a dyn Check,
    subject: Option<String>,
    means: Arc<Means>,
    collector: String,
    check_max: Duration,
    /// When the time of the whole run is over, by the stopwatch.
    until_ms: u64,
    progress: Arc<Progress>,
}

impl One<'_> {
    async fn look(self, turns: Turns) -> Result<Looked, RunError> {
        let start_ms = self.means.clock.monotonic_ms();
        let name = self.check.info().name;
        let subject = self.subject.clone().unwrap_or_else(|| "manifest".to_owned());
        let mut talk = Talk::live(name, &subject, Arc::clone(&self.means));
        if self.subject.is_none() {
            talk.setting(NO_SUBJECT, true);
        } else {
            let word = self.check.exclusive(&subject, &self.means.manifest);
            let _turn = turns.wait(word).await;
            self.talk(&subject, &mut talk).await;
        }
        let at = self.means.clock.now();
        let kept = talk.take_kept();
        let transcript = talk.finish();
        let judgement = conclude(self.check, &transcript);
        tracing::debug!(check = name, subject, verdict = judgement.verdict.word(), "judged");
        let evidence = Evidence {
            schema: EVIDENCE_SCHEMA.to_owned(),
            id: EvidenceId::new(at, entropy::random().ok_or(RunError::Entropy)?),
            judge: env!("CARGO_PKG_VERSION").to_owned(),
            collector: self.collector.clone(),
            at,
            transcript,
            judgement,
        };
        let took_ms = self.means.clock.monotonic_ms().saturating_sub(start_ms);
        self.progress.judged(&evidence, took_ms);
        // What did not pass owes nothing.
        let is_owed = !evidence.judgement.owed.is_empty();
        let kept = kept.filter(|_| is_owed).map(|it| Kept::of(&evidence, self.check.info(), it));
        Ok((evidence, kept))
    }

    /// Talks inside the budget, and undoes whatever was changed: at the end, when the time is over,
    /// and when the check itself breaks.
    async fn talk(&self, subject: &str, talk: &mut Talk) {
        let talking = self.check.talk(subject, &self.means.manifest, talk);
        let talking = AssertUnwindSafe(talking).catch_unwind();
        // Counted from its turn on: whoever queued has no more of the run's time than is left.
        let left_ms = self.until_ms.saturating_sub(self.means.clock.monotonic_ms());
        let budget = self.check_max.min(Duration::from_millis(left_ms));
        let problem = match tokio::time::timeout(budget, talking).await {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some("the check itself broke".to_owned()),
            Err(_) => Some(format!("no end within {} s", budget.as_secs())),
        };
        if let Some(problem) = problem {
            talk.fact(CUT_SHORT, "run", json!({ "error": problem }));
        }
        talk.unwind().await;
    }
}

/// Who may run: so many at a time, and one at a time over what only one may use.
#[derive(Clone)]
struct Turns {
    places: Arc<Semaphore>,
    words: Arc<StdMutex<BTreeMap<String, Arc<Mutex<()>>>>>,
}

/// A turn, until it is dropped.
struct Turn {
    _place: Option<tokio::sync::OwnedSemaphorePermit>,
    _word: Option<tokio::sync::OwnedMutexGuard<()>>,
}

impl Turns {
    fn new(parallel: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(parallel.max(1))), words: Arc::default() }
    }

    /// The word first, then a place: whoever waits for a word takes no place from others.
    async fn wait(&self, word: Option<String>) -> Turn {
        let lock = word.map(|it| {
            let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(words.entry(it).or_default())
        });
        let word = match lock {
            Some(it) => Some(it.lock_owned().await),
            None => None,
        };
        Turn { _place: Arc::clone(&self.places).acquire_owned().await.ok(), _word: word }
    }
}
