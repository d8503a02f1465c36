use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::Platform as _;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::Timestamp;
use countersign_sandbox::manifests::{Version, manifest, text};
use countersign_sandbox::{Kind, registration};
use serde_json::json;

use crate::town::{Town, unproven};

/// What production says to a piece of ordinary work: how many tokens, and why not.
async fn work(town: &Town, kind: Kind) -> (u32, BTreeSet<String>) {
    let done = town.sandbox.partner(kind).business(Lane::Certified, 1).await;
    (done.tokens.admitted, done.tokens.refused.into_keys().collect())
}

async fn lives(kind: Kind, extra: &str) {
    let town = Town::start().await;
    let slug = kind.slug();
    assert_eq!(work(&town, kind).await.0, 0, "{slug}: refused before");
    town.submit(&text(kind, Version::Right)).await;
    // The test tenant is where it is tried: there has to be something to look at.
    let tried = town.sandbox.partner(kind).business(Lane::Trial, 20).await;
    assert_eq!(tried.tokens.admitted, 20, "{slug}: {tried:?}");
    town.sandbox.keep_busy();
    town.certify(kind).await;
    town.sandbox.rest();
    assert_eq!(work(&town, kind).await, (1, BTreeSet::new()), "{slug}: admitted");

    // Somebody grants more at the platform.
    let production = town.sandbox.tenant(Lane::Certified);
    for mut client in registration::clients(&manifest(kind).unwrap()) {
        client.scopes.insert(extra.to_owned());
        production.register_client(client).unwrap();
    }
    let due = town.state(kind, "due").await;
    assert_eq!(due["drifts"][0]["trigger"], "scope-added", "{due:#}");
    let partner = town.sandbox.partner(kind);
    let refused = partner.attempt(Lane::Certified, extra, "client_credentials").await;
    assert_eq!(refused, Err("outside-scope".to_owned()), "{slug}: the new part is denied");
    assert_eq!(work(&town, kind).await.0, 1, "{slug}: the rest goes on");
    let diff = town.get("paul", &format!("/v1/integrations/{slug}/diff")).await;
    let used = diff["used"]["clients"].as_object().unwrap();
    let tokens: u64 = used.values().filter_map(|it| it["tokens"].as_u64()).sum();
    assert_eq!(tokens, 2, "{diff:#}");

    let body = json!({ "integration": slug, "kind": "revoke", "reason": "it leaked" });
    let (status, receipt) = town.post("rita", "/v1/revocations", body).await;
    assert_eq!(status, 200, "{receipt:#}");
    assert_eq!(unproven(&receipt), BTreeSet::new());
    assert_eq!(receipt["proven"], receipt["total"], "{receipt:#}");
    let slow: Vec<_> = receipt["paths"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["ms"].as_u64().is_none_or(|it| 5_000 < it))
        .collect();
    assert!(slow.is_empty(), "{receipt:#}");
    let (tokens, why) = work(&town, kind).await;
    assert_eq!(tokens, 0, "{slug}: {why:?}");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payroll_lives_in_production_until_it_is_revoked() {
    lives(Kind::Payrun, "scim:users.read").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_marketplace_app_lives_in_production_until_it_is_revoked() {
    lives(Kind::Shiftly, "users:read.basic").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_revoked_comes_back_by_a_new_certification() {
    let kind = Kind::Shiftly;
    let town = Town::start().await;
    let try_it = async || {
        town.submit(&text(kind, Version::Right)).await;
        // What was issued in the very second of a revocation counts as issued before it.
        for turn in 0.. {
            let tried = town.sandbox.partner(kind).business(Lane::Trial, 20).await;
            assert_eq!(tried.tokens.admitted, 20, "{tried:?}");
            if tried.calls.refused.is_empty() {
                break;
            }
            assert!(turn < 100, "its tokens never work: {tried:?}");
        }
        town.certify(kind).await
    };
    try_it().await;
    let body = json!({ "integration": kind.slug(), "kind": "revoke", "reason": "it leaked" });
    let (_, receipt) = town.post("rita", "/v1/revocations", body).await;
    assert_eq!(unproven(&receipt), BTreeSet::new());
    assert_eq!(work(&town, kind).await.0, 0);

    // Nothing comes back but by a new submission, fresh checks and two people.
    let certified = try_it().await;
    assert_eq!(certified["restored"], true, "{certified}");
    assert_eq!(work(&town, kind).await, (1, BTreeSet::new()));
    let clock = Arc::new(SystemClock::start());
    let production = town.sandbox.connector(Lane::Certified, clock).unwrap();
    let data = json!({ "group": { "id": "g-1" } });
    let id = production.emit("group.member.added", &data).await.unwrap();
    let slug = kind.slug().parse().unwrap();
    for turn in 0.. {
        let sent = production.deliveries(&slug, Timestamp::from_seconds(0)).await.unwrap();
        if sent.iter().any(|it| it.id == id && it.result == "delivered") {
            break;
        }
        assert!(turn < 100, "{id} never arrived: {sent:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What came back is what was certified: no drift follows.
    assert_eq!(countersign_server::steps::monitor::look(town.app()).await.unwrap(), 0);
    town.state(kind, "certified").await;
    town.stop().await;
}
