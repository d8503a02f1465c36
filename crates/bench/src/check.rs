//! Every check that applies to a right partner, and how long it took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use countersign_checks::check::{Check, Stage};
use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::{Clock, SystemClock};
use countersign_checks::platform::{Platform, PlatformError};
use countersign_checks::progress::{Judged, Progress};
use countersign_checks::registry;
use countersign_checks::run::{Limits, RunError, RunInput, run_telling};
use countersign_checks::secrets::Secrets;
use countersign_model::check::Verdict;
use countersign_model::declare::{Format, parse};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::enforce::{Call, Reason};
use countersign_model::time::Period;
use countersign_sandbox::manifests::{Version, text};
use countersign_sandbox::{Kind, StartError, World};
use serde::Serialize;
use serde_json::{Value, json};

/// How long all of it may take on this machine, mandated waits aside.
const ASIDE_MAX_MS: u64 = 15_000;
/// How many pieces of work a partner has done before it is looked at.
const WORK: u32 = 60;
/// How long one check may take.
const CHECK_MAX: Duration = Duration::from_mins(1);

/// What a run over one partner took.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    /// The integration.
    integration: &'static str,
    /// How many checks had something to look at, each subject counted.
    checks: usize,
    /// How many of them passed.
    passed: usize,
    /// From the first question of preflight to the last judgement.
    total_ms: u64,
    /// The check that waited longest for time to pass, as its case demands.
    longest_wait: String,
    /// How long that was.
    longest_wait_ms: u64,
    /// The longest wait of each stage, added up: stages run one after the other.
    waits_ms: u64,
    /// What is left without them.
    aside_ms: u64,
    /// Those that did not pass: check and verdict.
    others: Vec<(String, &'static str)>,
    /// The five that took longest, without what they waited for.
    slowest: Vec<(String, u64)>,
}

impl Measured {
    /// Whether it took no longer than it may.
    pub(crate) fn is_within(&self) -> bool {
        self.aside_ms <= ASIDE_MAX_MS
    }
}

/// It could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// The connector cannot be set up.
    #[error("the connector cannot be set up: {0}")]
    Connector(#[from] PlatformError),
    /// The manifest is none.
    #[error("its manifest cannot be read")]
    Manifest,
    /// Preflight found something in the way.
    #[error("preflight: {0}")]
    Preflight(String),
    /// The run could not be done.
    #[error("the run could not be done: {0}")]
    Run(#[from] RunError),
    /// The sandbox cannot be started.
    #[error("the sandbox cannot be started: {0}")]
    Start(#[from] StartError),
}

/// Runs every check against one right partner.
pub(crate) async fn measure(kind: Kind) -> Result<Measured, BenchError> {
    let parsed =
        parse(&text(kind, Version::Right), Format::Toml).map_err(|_| BenchError::Manifest)?;
    let world = World::start()?;
    world.put_gate(Lane::Trial, Arc::new(|_: &Call| Reason::Admitted));
    world.partner(kind).business(Lane::Trial, WORK).await;
    let window = parsed.manifest.observation.as_ref().map(|it| it.window);
    tokio::time::sleep(window.map_or(Duration::ZERO, Period::std)).await;
    if kind == Kind::Payrun {
        world.partner(kind).keep_busy(Lane::Trial, Duration::from_millis(200));
    }
    let clock = Arc::new(SystemClock::start());
    let connector = |lane| -> Result<Arc<dyn Platform>, BenchError> {
        Ok(world.connector(lane, Arc::clone(&clock) as Arc<dyn Clock>)?)
    };
    let input = RunInput {
        manifest: &parsed.manifest,
        manifest_digest: parsed.digest,
        only: None,
        settings: BTreeMap::new(),
        talk: TalkConfig {
            resolve: world.net().resolve.clone(),
            ca: Some(world.net().ca_pem.clone().into_bytes()),
            proved: kind.hosts().iter().map(|it| (*it).to_owned()).collect(),
            ..TalkConfig::default()
        },
        platform: Some(connector(Lane::Trial)?),
        harness: Some(world.harness()?),
        production: Some(connector(Lane::Certified)?),
        sources: world.sources(),
        secrets: Secrets::new(world.secrets()),
        waivers: Vec::new(),
        certified_since: None,
        observed_since: None,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        salt: [7; 32],
        collector: "bench".to_owned(),
        limits: Limits { check: CHECK_MAX, ..Limits::default() },
        keeper: None,
    };
    let progress: Arc<Progress> = Arc::default();
    let start = clock.monotonic_ms();
    let report = run_telling(input, Arc::clone(&progress)).await?;
    let total_ms = clock.monotonic_ms().saturating_sub(start);
    world.rest();
    if let Some(problem) = report.preflight.problems.first() {
        return Err(BenchError::Preflight(problem.sentence.clone()));
    }
    Ok(measured(kind, total_ms, &progress.come().judged))
}

fn measured(kind: Kind, total_ms: u64, judged: &[Judged]) -> Measured {
    let applied: Vec<&Judged> =
        judged.iter().filter(|it| it.verdict != Verdict::NotApplicable).collect();
    let longest = applied.iter().max_by_key(|it| it.waited_ms);
    let stage = |it: &Judged| registry::find(&it.check).map(Check::stage);
    let of_stage = |wanted: Stage| {
        let mine = applied.iter().filter(|it| stage(it) == Some(wanted));
        mine.map(|it| it.waited_ms).max().unwrap_or_default()
    };
    let waits_ms: u64 = Stage::ALL.into_iter().map(of_stage).sum();
    let mut slowest: Vec<(String, u64)> = applied
        .iter()
        .map(|it| (it.check.clone(), it.took_ms.saturating_sub(it.waited_ms)))
        .collect();
    slowest.sort_by_key(|it| std::cmp::Reverse(it.1));
    slowest.truncate(5);
    Measured {
        integration: kind.slug(),
        checks: applied.len(),
        passed: applied.iter().filter(|it| it.verdict == Verdict::Pass).count(),
        others: applied
            .iter()
            .filter(|it| it.verdict != Verdict::Pass)
            .map(|it| (it.check.clone(), it.verdict.word()))
            .collect(),
        total_ms,
        longest_wait: longest.map(|it| it.check.clone()).unwrap_or_default(),
        longest_wait_ms: longest.map_or(0, |it| it.waited_ms),
        waits_ms,
        aside_ms: total_ms.saturating_sub(waits_ms),
        slowest,
    }
}

/// All of it for programs.
pub(crate) fn document(rows: &[Measured]) -> Value {
    json!({
        "schema": "countersign.bench-check/1", "aside_ms_max": ASIDE_MAX_MS, "partners": rows,
        "ok": rows.iter().all(Measured::is_within),
    })
}

/// All of it for people.
pub(crate) fn table(rows: &[Measured]) -> String {
    let seconds = |ms: u64| format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10);
    let mut lines = vec![format!(
        "{:<18}{:>8}{:>8}{:>10}{:>10}{:>10}  {}",
        "PARTNER", "CHECKS", "PASSED", "TOTAL", "ASIDE", "LONGEST", "WAIT"
    )];
    for it in rows {
        lines.push(format!(
            "{:<18}{:>8}{:>8}{:>10}{:>10}{:>10}  {}",
            it.integration,
            it.checks,
            it.passed,
            seconds(it.total_ms),
            seconds(it.aside_ms),
            seconds(it.longest_wait_ms),
            it.longest_wait
        ));
    }
    for (it, (check, verdict)) in
        rows.iter().flat_map(|it| it.others.iter().map(move |one| (it, one)))
    {
        lines.push(format!("{}: {check} {verdict}", it.integration));
    }
    lines.push(format!(
        "aside: without the longest mandated wait of each stage; at most {}",
        seconds(ASIDE_MAX_MS)
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_longest_wait_of_each_stage_is_set_aside() {
        let judged = |check: &str, took_ms, waited_ms| Judged {
            check: check.to_owned(),
            subject: "manifest".to_owned(),
            verdict: Verdict::Pass,
            sentence: String::new(),
            took_ms,
            waited_ms,
        };
        let all = [
            judged("refuses_unsigned_webhook", 900, 600),
            judged("refuses_stale_timestamp", 1_100, 700),
            judged("rotates_without_a_person", 3_000, 2_000),
        ];
        let it = measured(Kind::Acme, 4_200, &all);
        assert_eq!((it.longest_wait_ms, it.waits_ms, it.aside_ms), (2_000, 2_700, 1_500));
        assert_eq!(it.longest_wait, "rotates_without_a_person");
        assert!(it.is_within() && table(&[it]).contains("acme-helpdesk"));
    }
}
