//! What the tests share.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::sandbox::SandboxPlatform;
use countersign_checks::run::{Limits, RunInput, look};
use countersign_checks::secrets::Secrets;
use countersign_model::check::{Evidence, Verdict};
use countersign_model::declare::{Format, parse};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::enforce::{Call, Reason};
use countersign_sandbox::manifests::{Version, text};
use countersign_sandbox::{Kind, World};

/// How long a test waits for something that is about to happen.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A gate that somebody holds open or shut.
#[derive(Debug, Clone, Default)]
pub(crate) struct Door(Arc<AtomicBool>);

impl Door {
    pub(crate) fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn shut(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// A world with an open door in front of its test tenant.
pub(crate) fn world() -> (World, Door) {
    let world = World::start().unwrap();
    let door = Door::default();
    door.open();
    let is_open = Arc::clone(&door.0);
    let gate = move |_: &Call| {
        if is_open.load(Ordering::SeqCst) { Reason::Admitted } else { Reason::Suspended }
    };
    world.put_gate(Lane::Trial, Arc::new(gate));
    (world, door)
}

/// A connector to the test tenant.
pub(crate) fn connector(world: &World) -> Arc<SandboxPlatform> {
    world.connector(Lane::Trial, Arc::new(SystemClock::start())).unwrap()
}

/// Asks again and again until the answer is there, or gives up.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let asking = async {
        loop {
            if let Some(it) = ask().await {
                return it;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, asking).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}

/// What these checks see of a partner, as it is declared.
pub(crate) async fn checked(world: &World, kind: Kind, checks: &[&str]) -> Vec<Evidence> {
    checked_as(world, &text(kind, Version::Right), checks).await
}

/// The same for a manifest of one's own.
pub(crate) async fn checked_as(world: &World, manifest: &str, checks: &[&str]) -> Vec<Evidence> {
    let limits = Limits { run: Duration::from_mins(1), ..Limits::default() };
    checked_within(world, manifest, checks, limits).await
}

/// The same within limits of one's own.
pub(crate) async fn checked_within(
    world: &World,
    manifest: &str,
    checks: &[&str],
    limits: Limits,
) -> Vec<Evidence> {
    let parsed = parse(manifest, Format::Toml).unwrap();
    let only: BTreeSet<String> = checks.iter().map(|it| (*it).to_owned()).collect();
    let talk = TalkConfig {
        resolve: world.net().resolve.clone(),
        ca: Some(world.net().ca_pem.clone().into_bytes()),
        proved: world.net().resolve.keys().cloned().collect(),
        ..TalkConfig::default()
    };
    let input = RunInput {
        manifest: &parsed.manifest,
        manifest_digest: parsed.digest,
        only: Some(&only),
        settings: BTreeMap::new(),
        talk,
        platform: Some(connector(world)),
        harness: None,
        production: None,
        sources: world.sources(),
        secrets: Secrets::new(world.secrets()),
        waivers: Vec::new(),
        certified_since: None,
        observed_since: None,
        clock: Arc::new(SystemClock::start()),
        salt: [7; 32],
        collector: "test".to_owned(),
        limits,
        keeper: None,
    };
    look(input).await.unwrap()
}

/// One line for each piece of evidence: check, subject, verdict.
pub(crate) fn verdicts(evidence: &[Evidence]) -> String {
    let lines = evidence.iter().map(|it| {
        let (transcript, judgement) = (&it.transcript, &it.judgement);
        let verdict = match &judgement.waiting {
            Some(_) => "waiting",
            None => judgement.verdict.word(),
        };
        format!("{} {}: {verdict}", transcript.check, transcript.subject)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Asserts one verdict of all of it, and shows what was seen where that is not so.
pub(crate) fn all_are(evidence: &[Evidence], verdict: Verdict) {
    assert!(!evidence.is_empty());
    for one in evidence {
        let judgement = &one.judgement;
        assert_eq!(judgement.verdict, verdict, "{}: {judgement:#?}", one.transcript.check);
    }
}
