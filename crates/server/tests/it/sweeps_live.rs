//! What was offboarded, tried again at a real platform.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use countersign_checks::canaries::Canaries;
use countersign_checks::drill::shadow::ShadowStep;
use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::{ClientChange, Platform as _, RaisedAlert, TokenRequest};
use countersign_checks::probe::revocation::ghost::later::{self, Later};
use countersign_checks::run::{Keeper, Limits, RunInput, look_keeping};
use countersign_checks::secrets::Secrets;
use countersign_checks::{redact, replay};
use countersign_model::certify::Baseline;
use countersign_model::check::{Evidence, Verdict};
use countersign_model::declare::path::Path;
use countersign_model::declare::{Format, Manifest, parse};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::enforce::{Call, Reason};
use countersign_model::require::Tier;
use countersign_model::revoke::{DrillPart, WithdrawalKind};
use countersign_model::time::Timestamp;
use countersign_sandbox::manifests::{Version, text};
use countersign_sandbox::{AccessFault, Fault, Kind, World as Sandbox};
use countersign_seal::Digest;
use countersign_server::clock::Clock;
use countersign_server::config::Config;
use countersign_server::live::LiveWorld;
use countersign_server::world::{Job, Looked, Seen, SweepJob, Unreachable, Used, World};
use serde_json::json;

use crate::later::GHOST;
use crate::stage::{Fake, Stage};
use crate::sweeps::{DAY, kept, look_anew, one, reasons, states};
use crate::town::settings;

/// The time of the stage. The platform's own goes on beside it.
#[derive(Debug)]
struct StageClock(Clock, SystemClock);

impl countersign_checks::live::clock::Clock for StageClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic_ms(&self) -> u64 {
        self.1.monotonic_ms()
    }
}

/// The stand-in world, but what is offboarded is offboarded at a platform, and tried again there.
#[derive(Debug)]
struct AtPlatform {
    fake: Arc<Fake>,
    sandbox: Arc<Sandbox>,
}

impl AtPlatform {
    fn input<'a>(&self, manifest: &'a Manifest, digest: Digest) -> RunInput<'a> {
        let own = Arc::new(SystemClock::start());
        let platform = self.sandbox.connector(Lane::Trial, own).unwrap();
        let clock = Arc::new(StageClock(self.fake.clock.clone(), SystemClock::start()));
        RunInput {
            manifest,
            manifest_digest: digest,
            only: None,
            settings: BTreeMap::new(),
            talk: TalkConfig::default(),
            platform: Some(platform),
            harness: None,
            production: None,
            sources: BTreeMap::new(),
            secrets: Secrets::default(),
            waivers: Vec::new(),
            certified_since: None,
            observed_since: None,
            clock,
            salt: [7; 32],
            collector: "server".to_owned(),
            limits: Limits::default(),
            keeper: None,
        }
    }
}

#[async_trait]
impl World for AtPlatform {
    async fn look(&self, job: Job<'_>) -> Result<Looked, Unreachable> {
        let mut looked = self.fake.look(job.clone()).await?;
        let only = BTreeSet::from([GHOST.to_owned()]);
        let input = RunInput {
            only: Some(&only),
            keeper: Some(Keeper { came_back: job.came_back.clone() }),
            ..self.input(job.manifest, job.digest)
        };
        let (evidence, kept) = look_keeping(input).await.unwrap();
        looked.seen.retain(|it| it.check != GHOST);
        looked.seen.extend(evidence.into_iter().map(seen));
        looked.kept = kept;
        Ok(looked)
    }

    async fn sweep(&self, job: SweepJob<'_>) -> Result<Seen, Unreachable> {
        let input = self.input(job.manifest, job.digest);
        let later = Later {
            name: job.sweep,
            subject: job.subject,
            began: job.began,
            canaries: job.canaries,
        };
        Ok(seen(later::sweep(input, later).await.unwrap()))
    }

    async fn baseline(&self, manifest: &Manifest, digest: Digest) -> Result<Baseline, Unreachable> {
        self.fake.baseline(manifest, digest).await
    }

    async fn cut(
        &self,
        manifest: &Manifest,
        path: &Path,
        how: WithdrawalKind,
    ) -> Result<String, Unreachable> {
        self.fake.cut(manifest, path, how).await
    }

    async fn probe(&self, manifest: &Manifest, path: &Path) -> Result<Option<String>, Unreachable> {
        self.fake.probe(manifest, path).await
    }

    async fn knock(
        &self,
        lane: Lane,
        manifest: &Manifest,
        path: &Path,
    ) -> Result<Option<String>, Unreachable> {
        self.fake.knock(lane, manifest, path).await
    }

    fn shadow(
        &self,
        manifest: &Manifest,
        parts: &BTreeSet<DrillPart>,
    ) -> Result<Vec<ShadowStep>, Unreachable> {
        self.fake.shadow(manifest, parts)
    }

    async fn restore(&self, manifest: &Manifest, path: &Path) -> Result<String, Unreachable> {
        self.fake.restore(manifest, path).await
    }

    async fn destroy(&self, manifest: &Manifest) -> Result<u32, Unreachable> {
        self.fake.destroy(manifest).await
    }

    async fn used(&self, manifest: &Manifest, since: Timestamp) -> Result<Used, Unreachable> {
        self.fake.used(manifest, since).await
    }

    async fn alerts(&self, manifest: &Manifest) -> Result<Vec<RaisedAlert>, Unreachable> {
        self.fake.alerts(manifest).await
    }
}

fn seen(evidence: Evidence) -> Seen {
    // Whoever judges it again, from the transcript alone, comes to the same.
    assert_eq!(replay::judge_again(&evidence).as_ref(), Some(&evidence.judgement));
    assert_eq!(redact::shown(&evidence.transcript), Vec::<String>::new());
    Seen {
        check: evidence.transcript.check.clone(),
        case: Some("REV-10".to_owned()),
        controls: vec!["CTS-WDR-02".to_owned()],
        subject: evidence.transcript.subject.clone(),
        finding: None,
        evidence,
    }
}

fn admit(sandbox: &Sandbox) {
    sandbox.put_gate(Lane::Trial, Arc::new(|_: &Call| Reason::Admitted));
}

async fn sandbox() -> Arc<Sandbox> {
    let sandbox = tokio::task::spawn_blocking(Sandbox::start).await.unwrap().unwrap();
    admit(&sandbox);
    Arc::new(sandbox)
}

/// A payroll partner of production, with webhooks, a redirect and refresh tokens.
fn manifest() -> String {
    let text = text(Kind::Acme, Version::Right);
    let text = text.replacen("saas-vendor@1", "payroll-partner@1", 1);
    text.replacen("environment = \"sandbox\"", "environment = \"production\"", 1)
}

async fn certified(sandbox: &Arc<Sandbox>) -> Stage {
    let sandbox = Arc::clone(sandbox);
    let stage = Stage::over("production", |fake| Arc::new(AtPlatform { fake, sandbox })).await;
    stage.certify_as(&manifest()).await;
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_partner_in_production_is_certified_and_its_copy_stays_gone() {
    let sandbox = sandbox().await;
    let stage = certified(&sandbox).await;
    assert_eq!(stage.state().await, "certified");
    assert_eq!(states(&stage).await, ["owed owed"]);
    stage.pass(DAY);
    let stage = stage.restart().await;
    assert_eq!(look_anew(&stage).await, 1);
    assert_eq!(states(&stage).await, ["gone owed"]);
    let shown = one(&stage).await;
    let id = shown["sweeps"][0]["sweeps"][0]["evidence"].as_str().unwrap().to_owned();
    let (_, evidence) = stage.get("paul", &format!("/v1/evidence/{id}")).await;
    let tried: BTreeSet<String> = evidence["judgement"]["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap().split(": HTTP").next().unwrap().to_owned())
        .map(|it| it.split(".copy-").next().unwrap().to_owned())
        .collect();
    let all = [
        "a code at its redirect",
        "its key",
        "its refresh token",
        "its token, whose own time is over",
        "the key of its webhook hook:ticket-events",
    ];
    assert_eq!(tried, all.map(str::to_owned).into(), "{evidence:#}");

    // While nobody is let in, a refusal says nothing.
    stage.pass(29 * DAY);
    sandbox.put_gate(Lane::Trial, Arc::new(|_: &Call| Reason::Suspended));
    assert_eq!(look_anew(&stage).await, 0);
    assert_eq!(states(&stage).await, ["gone due"]);
    admit(&sandbox);
    assert_eq!(look_anew(&stage).await, 1);
    assert_eq!(states(&stage).await, ["gone gone (whole)"]);
    assert_eq!(kept(&stage).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ghost_that_returns_after_the_run_is_caught_and_offboarded_once_more() {
    for fault in [AccessFault::GhostAfterDeletion, AccessFault::GhostWebhookAfterDeletion] {
        let sandbox = sandbox().await;
        sandbox.set_faults(Kind::Acme, [Fault::Access(fault)]).await.unwrap();
        let stage = certified(&sandbox).await;
        // It comes back some moments after the run; a look before that is none.
        let clock = Arc::new(SystemClock::start());
        let platform = sandbox.connector(Lane::Trial, clock).unwrap();
        tokio::time::timeout(std::time::Duration::from_secs(10), async {
            while look_anew(&stage).await == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                stage.pass(DAY / 4);
            }
        })
        .await
        .unwrap();
        assert_eq!(states(&stage).await, ["came-back never (found)"], "{fault:?}");
        assert_eq!(stage.state().await, "suspended", "{fault:?}");
        assert_eq!(kept(&stage).await, 0, "{fault:?}");
        let shown = one(&stage).await;
        let id = shown["sweeps"][0]["sweeps"][0]["evidence"].as_str().unwrap().to_owned();
        let (_, evidence) = stage.get("paul", &format!("/v1/evidence/{id}")).await;
        let text = evidence.to_string();
        assert!(text.contains("offboarded once more"), "{fault:?}: {evidence:#}");

        // Mended, the next copy is gone, and has to stay gone as long before it passes.
        sandbox.set_faults(Kind::Acme, []).await.unwrap();
        stage.pass(1);
        let (_, run) = stage.assess().await;
        assert_eq!(run["exit"], 8, "only time is missing: {run:#}");
        stage.pass(DAY);
        assert_eq!(look_anew(&stage).await, 1, "{fault:?}");
        let (_, run) = stage.assess().await;
        assert_eq!(run["exit"], 0, "{fault:?}: {run:#}");
        assert!(!reasons(&stage).await.contains(&"CTS-WDR-02".to_owned()), "{fault:?}");
        drop(platform);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_live_world_tries_again_at_the_test_tenant() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let config = Config::parse(&settings(&sandbox, folder.path())).unwrap();
    let world = LiveWorld::from_config(&config, Clock::System).unwrap();
    let parsed = parse(&text(Kind::Acme, Version::Right), Format::Toml).unwrap();
    let clock = Arc::new(SystemClock::start());
    let platform = sandbox.connector(Lane::Trial, clock).unwrap();
    let subject = parsed.manifest.identities[0].id.to_string();
    let profile = parsed.manifest.profile.clone();
    for is_deleted in [true, false] {
        let client = parsed.manifest.identities[0].client_id();
        let copy = platform.copy_client(client).await.unwrap();
        let answer = platform.request_token(&copy, &TokenRequest::default()).await.unwrap();
        let token = answer.access_token.unwrap();
        if is_deleted {
            platform.client(&copy.client_id, ClientChange::Delete).await.unwrap();
        }
        let canaries = Canaries::new(copy.clone(), client).token(token.clone(), None);
        let job = SweepJob {
            manifest: &parsed.manifest,
            digest: parsed.digest,
            profile: &profile,
            tier: Tier::Elevated,
            sweep: "T+24 h",
            subject: &subject,
            began: Timestamp::from_seconds(0),
            canaries,
            salt: &[7; 32],
        };
        let seen = world.sweep(job).await.unwrap();
        let expected = if is_deleted { Verdict::Pass } else { Verdict::Fail };
        assert_eq!(seen.evidence.judgement.verdict, expected, "{:#?}", seen.evidence.judgement);
        assert_eq!(seen.finding.is_some(), !is_deleted);
        assert_eq!((seen.check.as_str(), seen.case.as_deref()), (GHOST, Some("REV-10")));
        let shown = json!(seen.evidence).to_string();
        assert!(!shown.contains(&token), "a transcript shows the token");
        // Whatever was let in is gone now, and so is the fresh copy.
        assert!(!platform.introspect(&token).await.unwrap());
        let again = platform.request_token(&copy, &TokenRequest::default()).await.unwrap();
        assert_eq!(again.access_token, None);
    }
}
