//! A partner is attacked only after it has proved that its hosts are its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::{Clock as _, SystemClock};
use countersign_checks::live::proof::Proofs;
use countersign_checks::platform::Platform;
use countersign_checks::run::{Limits, RunInput, RunReport, run};
use countersign_checks::secrets::Secrets;
use countersign_model::check::{Entry, Verdict};
use countersign_model::declare::manifest::HostProof;
use countersign_model::declare::{Format, parse};
use countersign_sandbox::manifests::{Version, text};
use countersign_sandbox::{Certifier, Fault, Kind, World};

use crate::helper::{connector, world};

const KIND: Kind = Kind::Acme;
const CHECK: &str = "refuses_unsigned_webhook";

/// A certifier of one test.
#[derive(Debug)]
struct Ours(Proofs);

#[async_trait::async_trait]
impl Certifier for Ours {
    async fn proof(&self, integration: &str) -> Option<String> {
        let now = SystemClock::start().now();
        let lines = KIND
            .hosts()
            .iter()
            .map(|host| self.0.issue(integration, host, HostProof::WellKnown, now).text);
        Some(lines.collect::<Vec<_>>().join("\n"))
    }
}

async fn asked(world: &World, proofs: &Proofs) -> RunReport {
    let parsed = parse(&text(KIND, Version::Right), Format::Toml).unwrap();
    let only: BTreeSet<String> = [CHECK.to_owned()].into();
    let input = RunInput {
        manifest: &parsed.manifest,
        manifest_digest: parsed.digest,
        only: Some(&only),
        settings: std::collections::BTreeMap::new(),
        talk: TalkConfig {
            resolve: world.net().resolve.clone(),
            ca: Some(world.net().ca_pem.clone().into_bytes()),
            proofs: Some(proofs.clone()),
            ..TalkConfig::default()
        },
        platform: Some(connector(world) as Arc<dyn Platform>),
        production: None,
        sources: world.sources(),
        secrets: Secrets::new(world.secrets()),
        harness: None,
        waivers: Vec::new(),
        certified_since: None,
        observed_since: None,
        clock: Arc::new(SystemClock::start()),
        salt: [7; 32],
        collector: "test".to_owned(),
        limits: Limits::default(),
        keeper: None,
    };
    run(input).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_attacked_who_has_not_proved_its_hosts() {
    let (world, _door) = world();
    world.set_faults(KIND, [Fault::AcceptsUnsignedWebhook]).await.unwrap();
    let proofs = Proofs::new([3; 32]);

    let report = asked(&world, &proofs).await;
    assert!(report.preflight.is_ok(), "it is told, and the rest goes on: {report:?}");
    assert_eq!(report.preflight.notices.len(), 3, "{:?}", report.preflight.notices);
    let fix = &report.preflight.notices[0].fix;
    assert!(fix.contains("/.well-known/countersign/acme-helpdesk with the line"), "{fix}");
    let judgement = &report.evidence[0].judgement;
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert!(judgement.sentence.contains("publish https://events.acme.example/"), "{judgement:?}");
    let is_answered = |it: &&Entry| matches!(it, Entry::Exchange(it) if it.answer.status().is_some() && it.label.starts_with("wrong."));
    let entries = &report.evidence[0].transcript.entries;
    assert_eq!(entries.iter().filter(is_answered).count(), 0, "nothing wrong got there");

    world.partner(KIND).prove_to(Arc::new(Ours(proofs.clone())));
    let report = asked(&world, &proofs).await;
    assert_eq!(report.preflight.notices, []);
    assert_eq!(report.evidence[0].judgement.verdict, Verdict::Fail);
}
