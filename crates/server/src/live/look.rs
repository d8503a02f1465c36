//! One run of the checks, as the server keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use countersign_checks::drill::load::Load;
use countersign_checks::finding::finding;
use countersign_checks::live::client::TalkConfig;
use countersign_checks::probe::revocation::ghost::later::{self, Later};
use countersign_checks::registry;
use countersign_checks::run::{Keeper, Limits, RunError, RunInput, reference, run_telling};
use countersign_checks::settings;
use countersign_model::check::Evidence;
use countersign_model::declare::Manifest;
use countersign_model::require::tier::Tier;
use countersign_model::require::{Catalogue, Requirement, capabilities_of, require};
use countersign_seal::Digest;
use serde_json::{Value, json};

use super::LiveWorld;
use crate::clock::LiveClock;
use crate::world::{Job, Looked, Seen, SweepJob, Unreachable};

pub(super) async fn look(world: &LiveWorld, job: Job<'_>) -> Result<Looked, Unreachable> {
    let catalogue = Catalogue::embedded();
    let unknown = || Unreachable(format!("there is no profile `{}`", job.profile));
    let profile = catalogue.profile(job.profile.as_str()).ok_or_else(unknown)?;
    let capabilities = capabilities_of(job.manifest);
    let requirements = require(&capabilities, job.tier, profile, catalogue);
    // The catalogue names checks that do not exist yet; their controls stay open.
    let only: Option<BTreeSet<String>> = job
        .only
        .map(|it| it.iter().filter(|name| registry::find(name).is_some()).cloned().collect());
    let progress = Arc::clone(&job.progress);
    let mut settings = figures(job.tier, job.manifest, &requirements);
    settings.extend(job.load.into_iter().flat_map(Load::settings));
    let input = RunInput {
        only: only.as_ref(),
        settings,
        talk: TalkConfig { proofs: Some(job.proofs.clone()), ..world.talk.clone() },
        waivers: job.waivers.to_vec(),
        certified_since: job.certified_since,
        observed_since: Some(job.submitted),
        keeper: Some(Keeper { came_back: job.came_back.clone() }),
        limits: limits(job.within),
        ..input(world, (job.manifest, job.digest), *job.salt)
    };
    let report = run_telling(input, progress).await.map_err(|it| ours(&it))?;
    let problems = report.preflight.problems.iter().map(|it| json!(it)).collect();
    let notices = report.preflight.notices.iter().map(|it| json!(it)).collect();
    let mut seen = Vec::with_capacity(report.evidence.len());
    for evidence in report.evidence {
        seen.push(seen_of(evidence, &requirements)?);
    }
    let questions = report.preflight.questions;
    Ok(Looked { questions, problems, notices, seen, kept: report.kept })
}

/// Tries again what a drill of earlier left.
pub(super) async fn sweep(world: &LiveWorld, job: SweepJob<'_>) -> Result<Seen, Unreachable> {
    let catalogue = Catalogue::embedded();
    let unknown = || Unreachable(format!("there is no profile `{}`", job.profile));
    let profile = catalogue.profile(job.profile.as_str()).ok_or_else(unknown)?;
    let requirements = require(&capabilities_of(job.manifest), job.tier, profile, catalogue);
    let input = RunInput {
        settings: figures(job.tier, job.manifest, &requirements),
        limits: Limits { check: SWEEP_MAX, run: SWEEP_MAX, ..Limits::default() },
        ..input(world, (job.manifest, job.digest), *job.salt)
    };
    let later =
        Later { name: job.sweep, subject: job.subject, began: job.began, canaries: job.canaries };
    let evidence = later::sweep(input, later).await.map_err(|it| ours(&it))?;
    seen_of(evidence, &requirements)
}

/// How long one sweep may take.
const SWEEP_MAX: Duration = Duration::from_mins(5);

/// What every run of this server is made with.
fn input<'a>(
    world: &LiveWorld,
    (manifest, manifest_digest): (&'a Manifest, Digest),
    salt: [u8; 32],
) -> RunInput<'a> {
    RunInput {
        manifest,
        manifest_digest,
        only: None,
        settings: BTreeMap::new(),
        talk: world.talk.clone(),
        platform: world.test.clone(),
        harness: world.harness.clone(),
        production: world.production.clone(),
        sources: world.sources.clone(),
        secrets: world.secrets.clone(),
        waivers: Vec::new(),
        certified_since: None,
        observed_since: None,
        clock: Arc::new(LiveClock::start(world.clock.clone())),
        salt,
        collector: "server".to_owned(),
        limits: Limits::default(),
        keeper: None,
    }
}

/// The usual limits, or shorter ones.
fn limits(within: Option<Duration>) -> Limits {
    let usual = Limits::default();
    let Some(within) = within else { return usual };
    Limits { check: usual.check.min(within), run: usual.run.min(within), ..usual }
}

/// The figures of the profile at the tier in force, which may be stricter than the declared one.
fn figures(
    tier: Tier,
    manifest: &Manifest,
    requirements: &[Requirement<'_>],
) -> BTreeMap<String, Value> {
    let mut figures = settings::of_manifest(manifest);
    figures.extend(settings::of_requirements(requirements));
    figures.insert("tier".to_owned(), tier.word().into());
    figures
}

fn seen_of(evidence: Evidence, requirements: &[Requirement<'_>]) -> Result<Seen, Unreachable> {
    let reference = reference(&evidence).map_err(|it| Unreachable(it.to_string()))?;
    let check = registry::find(&reference.check);
    let finding =
        check.and_then(|it| finding(it.info(), &reference, requirements, Catalogue::embedded()));
    Ok(Seen {
        evidence,
        check: reference.check,
        case: reference.case,
        controls: reference.controls,
        subject: reference.subject,
        finding,
    })
}

fn ours(error: &RunError) -> Unreachable {
    let why = std::error::Error::source(error).map(|it| format!(": {it}")).unwrap_or_default();
    Unreachable(format!("{error}{why}"))
}
