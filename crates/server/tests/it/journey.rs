use std::time::Instant;

use countersign_gate::{Gate, Snapshot};
use countersign_ledger::VerifierKey;
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::{Call, Reason};
use serde_json::json;

use crate::stage::{MANIFEST, Stage};

fn mint(scope: &str) -> Call {
    let mut call = Call::new(PathKind::TokenMint, "acme-helpdesk");
    call.scopes = vec![scope.to_owned()];
    call.grant_type = Some("client_credentials".to_owned());
    call.ttl_seconds = Some(600);
    call
}

#[expect(clippy::disallowed_methods, reason = "a test has to start somewhere on the steady clock")]
async fn asked(stage: &Stage, scope: &str) -> Reason {
    let gate = Gate::new(stage.pins());
    let (status, envelope) =
        stage.raw("gate", "GET", "/v1/gate/snapshot?lane=certified", None).await;
    assert_eq!(status, 200);
    let now = Instant::now();
    gate.load(&envelope, now).unwrap();
    gate.decide(&mint(scope), now, stage.now()).reason
}

#[tokio::test]
async fn an_integration_lives_from_its_manifest_to_its_revocation() {
    let stage = Stage::new().await;
    let (status, submitted) = stage.submit("olga", MANIFEST).await;
    assert_eq!((status, submitted["state"].as_str()), (201, Some("submitted")), "{submitted}");
    assert_eq!(asked(&stage, "tickets:write").await, Reason::Uncertified);
    stage.certify().await;
    assert_eq!(stage.state().await, "certified");
    assert_eq!(asked(&stage, "tickets:write").await, Reason::Admitted);
    assert_eq!(asked(&stage, "tickets:delete").await, Reason::OutsideScope);

    // Somebody grants more at the platform: due, and the new part is denied.
    stage.fake.told.lock().unwrap().extra_scope = Some("tickets:delete".to_owned());
    assert_eq!(countersign_server::steps::monitor::look(&stage.app).await.unwrap(), 1);
    assert_eq!(stage.state().await, "due");
    assert_eq!(asked(&stage, "tickets:delete").await, Reason::OutsideScope);
    let (_, diff) = stage.get("paul", "/v1/integrations/acme-helpdesk/diff").await;
    assert_eq!(diff["changes"][0]["trigger"], "scope-added", "{diff}");
    stage.fake.told.lock().unwrap().extra_scope = None;
    assert_eq!(countersign_server::steps::monitor::look(&stage.app).await.unwrap(), 1);
    assert_eq!(stage.state().await, "certified");

    stage.fake.told.lock().unwrap().not_proven.insert("cb:oauth".to_owned());
    stage.pass(60);
    let body =
        json!({ "integration": "acme-helpdesk", "kind": "revoke", "reason": "refresh replay" });
    let (status, receipt) = stage.post("rita", "/v1/revocations", body).await;
    assert_eq!(status, 200, "{receipt}");
    let total = receipt["total"].as_u64().unwrap();
    assert_eq!(receipt["proven"].as_u64().unwrap(), total - 1, "{receipt}");
    let callback =
        receipt["paths"].as_array().unwrap().iter().find(|it| it["subject"] == "cb:oauth");
    assert_eq!(callback.unwrap()["state"], "acknowledged", "{receipt}");
    assert_eq!(asked(&stage, "tickets:write").await, Reason::Revoked);
    stage.fake.told.lock().unwrap().not_proven.clear();
    let retry = format!("/v1/revocations/{}/retry", receipt["revocation"].as_str().unwrap());
    let (_, receipt) = stage.post("rita", &retry, json!({})).await;
    assert_eq!(receipt["proven"].as_u64().unwrap(), total, "{receipt}");

    // The record says all of it, and it verifies offline.
    let last = stage.app.book.published().registry.size - 1;
    let (index, entry) = stage.app.book.entries(last, 1).await.unwrap().remove(0);
    let proof = stage.app.book.proof(index).await.unwrap();
    let key = countersign_server::steps::show::vkey(&stage.app).unwrap();
    proof.verify(&entry, &key.parse::<VerifierKey>().unwrap()).unwrap();
    assert_eq!(index, proof.index);
    let (_, entries) = stage.get("paul", "/v1/log/entries?from=0&n=100").await;
    let kinds: Vec<_> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["entry"]["kind"].as_str().unwrap())
        .filter(|it| !it.starts_with("revoke.path"))
        .collect();
    insta::assert_snapshot!(kinds.join(" "), @"review.key-enrolled review.key-enrolled review.key-enrolled enforce.gate-enrolled declare.submitted declare.submitted check.assessed review.decided review.decided certify.planned certify.certified monitor.drifted monitor.settled revoke.withdrawn");
}

#[tokio::test]
async fn a_certificate_says_the_index_of_its_own_entry() {
    let stage = Stage::new().await;
    let certified = stage.certify().await;
    let index = certified["log_index"].as_u64().unwrap();
    let (_, entries) = stage.get("paul", &format!("/v1/log/entries?from={index}&n=1")).await;
    assert_eq!(entries["entries"][0]["entry"]["kind"], "certify.certified");
    assert_eq!(entries["entries"][0]["entry"]["certificate"], certified["certificate"]);
}

#[tokio::test]
async fn a_gate_of_the_server_believes_its_snapshot_whole() {
    let stage = Stage::new().await;
    stage.certify().await;
    let (_, envelope) = stage.raw("gate", "GET", "/v1/gate/snapshot?lane=certified", None).await;
    let snapshot = Snapshot::check(&envelope, &stage.pins(), 0).unwrap();
    assert!(snapshot.left_out().is_empty(), "{:?}", snapshot.left_out());
    let (status, _) = stage.raw("gate", "GET", "/v1/gate/snapshot?lane=trial", None).await;
    assert_eq!(status, 403, "a gate sees its own lane only");
}

#[tokio::test]
async fn a_partner_that_is_down_leaves_nothing_written() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    let before = stage.app.book.published().registry.size;
    stage.fake.told.lock().unwrap().down = true;
    let (status, run) = stage.assess().await;
    assert_eq!((status, run["exit"].as_u64()), (200, Some(5)), "{run}");
    assert!(run["run"].is_null());
    assert_eq!(stage.app.book.published().registry.size, before);
}

#[tokio::test]
async fn a_change_reopens_its_checks_and_keeps_the_rest() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    let changed = MANIFEST.replace("users:read.basic", "users:read.all");
    let (_, submitted) = stage.submit("olga", &changed).await;
    assert!(
        submitted["triggers"].as_array().unwrap().contains(&json!("scope-added")),
        "{submitted}"
    );
    assert_eq!(stage.state().await, "due");
    assert_eq!(asked(&stage, "users:read.all").await, Reason::OutsideScope);
    assert_eq!(asked(&stage, "users:read.basic").await, Reason::Admitted);
    let (_, run) = stage.assess().await;
    assert!(0 < run["kept"].as_u64().unwrap(), "{run}");
    let asked = stage.fake.told.lock().unwrap().asked.last().cloned().flatten().unwrap();
    for check in &countersign_model::require::Catalogue::embedded().triggers.always {
        assert!(asked.contains(check), "{check} is always looked at again");
    }
}

#[tokio::test]
async fn a_suspension_ends_by_time_or_by_two_people() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    let body =
        json!({ "integration": "acme-helpdesk", "kind": "suspend", "for": "1h", "reason": "odd" });
    let (_, receipt) = stage.post("rita", "/v1/revocations", body.clone()).await;
    assert_eq!(asked(&stage, "tickets:write").await, Reason::Suspended);
    let resume = format!("/v1/revocations/{}/resume", receipt["revocation"].as_str().unwrap());
    assert_eq!(stage.post("ada", &resume, json!({})).await.1["ended"], false);
    assert_eq!(stage.post("ada", &resume, json!({})).await.0, 403);
    assert_eq!(stage.post("rita", &resume, json!({})).await.0, 403);
    assert_eq!(stage.post("ben", &resume, json!({})).await.1["ended"], true);
    assert_eq!(asked(&stage, "tickets:write").await, Reason::Admitted);
    stage.post("rita", "/v1/revocations", body).await;
    stage.pass(3_601);
    let epoch = stage.app.book.published().epoch;
    assert!(stage.app.book.tick(stage.now()).await.unwrap(), "time alone publishes");
    assert!(epoch < stage.app.book.published().epoch);
    assert_eq!(asked(&stage, "tickets:write").await, Reason::Admitted);
}

#[tokio::test]
async fn nobody_who_reads_waits_for_the_writer() {
    let stage = Stage::new().await;
    stage.certify().await;
    let writer = stage.app.book.write().await.unwrap();
    let tile = format!("/v1/log/tile/0/000.p/{}", stage.app.book.published().registry.size);
    let paths = [
        "/health",
        "/metrics",
        "/v1/log/checkpoint",
        &tile,
        "/v1/log/entries?from=0&n=100",
        "/v1/integrations/acme-helpdesk",
        "/v1/revocations/rev_00000000000000000000000000",
    ];
    for path in paths {
        let asked = stage.raw("paul", "GET", path, None);
        let (status, body) =
            tokio::time::timeout(std::time::Duration::from_secs(5), asked).await.expect(path);
        assert!(status == 200 || status == 404, "{path}: {}", String::from_utf8_lossy(&body));
        assert_eq!(status == 404, path.starts_with("/v1/revocations"), "{path}");
    }
    drop(writer);
}

#[tokio::test]
async fn nobody_takes_the_client_of_somebody_else() {
    let stage = Stage::new().await;
    assert_eq!(stage.submit("olga", MANIFEST).await.0, 201);
    let other = MANIFEST.replacen("\"acme-helpdesk\"", "\"acme-twin\"", 1);
    let (status, answer) = stage.submit("olga", &other).await;
    assert_eq!((status, &answer["code"]), (422, &json!("client-taken")), "{answer}");
    assert_eq!(answer["detail"], "client `acme-helpdesk` is one of `acme-helpdesk`");
    let own = other.replace("oauth:acme-helpdesk", "oauth:acme-twin");
    assert_eq!(stage.submit("olga", &own).await.0, 201);
    // What two people granted stays taken after the next submission no longer names it.
    stage.certify().await;
    let renamed = MANIFEST.replace("oauth:acme-helpdesk", "oauth:acme-renamed");
    assert_eq!(stage.submit("olga", &renamed).await.0, 201);
    assert_eq!(stage.submit("olga", &other).await.1["code"], "client-taken");
}
