//! Drills on a real Keycloak: a key is changed under load, and every act is looked for in its records.
#![cfg(test)]

#[path = "platform_keycloak/stand.rs"]
#[expect(dead_code, reason = "the connector's own test needs more of it")]
mod stand;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use countersign_checks::drill::load::Load;
use countersign_checks::drill::table::{self, DrillRow};
use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::Platform;
use countersign_checks::replay;
use countersign_checks::run::{Limits, RunInput, look};
use countersign_checks::secrets::Secrets;
use countersign_model::check::{Evidence, Verdict};
use countersign_model::declare::{Format, parse};
use serde_json::json;
use stand::{Stand, connector};

const PAYROLL: &str = include_str!("../../../spec/vectors/manifest/payroll.toml");
const SAAS: &str = include_str!("../../../spec/vectors/manifest/saas.toml");

/// What one check comes to at this Keycloak, and the rows of its table.
async fn drilled(stand: &Stand, text: &str, check: &str) -> (Evidence, Vec<DrillRow>) {
    let parsed = parse(text, Format::Toml).unwrap();
    let client = parsed.manifest.identities[0].client_id();
    if stand.row(client).await.is_none() {
        let registered = json!({
            "clientId": client, "serviceAccountsEnabled": true, "standardFlowEnabled": false,
            "secret": stand::PARTNER_SECRET,
        });
        stand.realm.post("clients", &registered).await.unwrap();
    }
    let only = BTreeSet::from([check.to_owned()]);
    let platform: Arc<dyn Platform> = Arc::new(connector(&stand.settings));
    let evidence = look(RunInput {
        manifest: &parsed.manifest,
        manifest_digest: parsed.digest,
        only: Some(&only),
        settings: Load { per_second: 50, seconds: 20 }.settings().into(),
        talk: TalkConfig::default(),
        platform: Some(platform),
        harness: None,
        production: None,
        sources: BTreeMap::new(),
        secrets: Secrets::default(),
        waivers: Vec::new(),
        certified_since: None,
        observed_since: None,
        clock: Arc::new(SystemClock::start()),
        salt: [7; 32],
        collector: "test".to_owned(),
        limits: Limits::default(),
        keeper: None,
    });
    let mut evidence = evidence.await.unwrap();
    assert_eq!(evidence.len(), 1);
    let evidence = evidence.remove(0);
    assert_eq!(replay::judge_again(&evidence).as_ref(), Some(&evidence.judgement));
    let rows = table::rows(&evidence.transcript, &evidence.judgement, &parsed.manifest);
    (evidence, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_serves_every_call_while_a_key_is_changed() {
    let stand = Stand::new("load").await;
    let check = "serves_every_call_while_a_key_is_changed";
    let (evidence, rows) = drilled(&stand, PAYROLL, check).await;
    let seen = &rows[0].seen;
    let judgement = &evidence.judgement;
    assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:?}");
    assert!(
        seen.ends_with("1000 times at 50/s: 1000 tokens, 0 calls, 1000 introspected, 0 failed, nobody else acted"),
        "{seen}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_writes_down_every_act() {
    let stand = Stand::new("acts").await;
    let (evidence, _) = drilled(&stand, PAYROLL, "writes_down_every_act").await;
    let judgement = &evidence.judgement;
    assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:?}");
    assert!(judgement.observed.starts_with("10 of 10 acts found"), "{}", judgement.observed);
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_refuses_at_every_door_that_it_has_when_trust_is_withdrawn() {
    let stand = Stand::new("kill").await;
    let text = SAAS.replace("https://app.acme.example/oauth/callback", stand::REDIRECT);
    let check = "denies_every_path_when_suspended";
    let (evidence, rows) = drilled(&stand, &text, check).await;
    let met = |it: &DrillRow| it.met == Some(true) && it.now_ms.is_some_and(|ms| ms <= 5_000);
    let seen: Vec<String> = rows.iter().map(|it| format!("{}: {}", it.path, met(it))).collect();
    let expected = "token-mint: true, token-use: true, call-in: true, call-in: false, event-out: false, token-refresh: true, token-introspect: true";
    assert_eq!(seen.join(", "), expected, "{rows:#?}");
    // It has no webhooks and no events: they are named, and nothing is concluded from the others.
    let judgement = &evidence.judgement;
    assert_eq!(judgement.verdict, Verdict::Inconclusive, "{judgement:?}");
    assert!(judgement.observed.contains("hook:ticket-events"), "{}", judgement.observed);
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_leaves_nothing_behind() {
    let stand = Stand::new("offboard").await;
    let check = "leaves_nothing_behind_when_offboarded";
    let (evidence, _) = drilled(&stand, SAAS, check).await;
    let judgement = &evidence.judgement;
    assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:?}");
    assert!(judgement.observed.starts_with("0 of 3 ways still answer"), "{}", judgement.observed);
}
