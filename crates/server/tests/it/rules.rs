use countersign_checks::platform::RaisedAlert;
use countersign_server::steps::monitor;
use serde_json::{Value, json};

use crate::stage::Stage;

fn alert(stage: &Stage, client: &str) -> RaisedAlert {
    let signal = "refresh token presented twice".to_owned();
    RaisedAlert { signal, at: stage.now(), client_id: client.to_owned() }
}

async fn look(stage: &Stage) -> usize {
    monitor::look(&stage.app).await.unwrap()
}

async fn resume(stage: &Stage) {
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    let id = one["withdrawal"]["revocation"].as_str().unwrap();
    let path = format!("/v1/revocations/{id}/resume");
    stage.post("ada", &path, json!({})).await;
    assert_eq!(stage.post("ben", &path, json!({})).await.1["ended"], true);
}

#[tokio::test]
async fn misuse_suspends_by_the_profiles_rule_and_two_people_end_it() {
    let stage = Stage::new().await;
    let before = alert(&stage, "acme-helpdesk");
    stage.fake.told.lock().unwrap().alerts.push(before);
    stage.pass(1);
    stage.certify().await;
    stage.pass(60);
    let copy = alert(&stage, "acme-helpdesk.copy-1");
    stage.fake.told.lock().unwrap().alerts.push(copy);
    assert_eq!(look(&stage).await, 0, "what was before, or is about a copy, is no misuse");

    let misused = alert(&stage, "acme-helpdesk");
    stage.fake.told.lock().unwrap().alerts.push(misused);
    assert_eq!(look(&stage).await, 1);
    assert_eq!(look(&stage).await, 0, "once");
    assert_eq!(stage.take_up().await, 1, "the paths are proven by whoever takes it up");
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    assert_eq!((&one["state"], &one["withdrawal"]["by"]), (&json!("suspended"), &Value::Null));
    assert_eq!(one["withdrawal"]["proven"], one["withdrawal"]["total"], "{one}");
    insta::assert_snapshot!(one["withdrawal"]["reason"].as_str().unwrap(), @"saas-vendor@1 suspends on misuse: acme-helpdesk at 2026-11-18T11:07:41.000Z: refresh token presented twice");

    stage.pass(60);
    resume(&stage).await;
    assert_eq!(look(&stage).await, 0, "two people have seen that alert");
    assert_eq!(stage.state().await, "certified");
    stage.pass(1);
    let again = alert(&stage, "acme-helpdesk");
    stage.fake.told.lock().unwrap().alerts.push(again);
    assert_eq!(look(&stage).await, 1);
    assert_eq!(stage.state().await, "suspended");
}

#[tokio::test]
async fn a_client_that_nobody_declared_is_a_drift() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.fake.told.lock().unwrap().extra_client = Some("acme-shadow".to_owned());
    assert_eq!(look(&stage).await, 1);
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    assert_eq!(one["state"], "due", "{one}");
    assert_eq!(one["drifts"][0]["place"], "acme-shadow: identity", "{one}");
    stage.fake.told.lock().unwrap().extra_client = None;
    assert_eq!(look(&stage).await, 1);
    assert_eq!(stage.state().await, "certified");
}

#[tokio::test]
async fn a_secret_that_is_found_under_a_certificate_suspends() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    let found = "keeps_secrets_out_of_source".to_owned();
    stage.fake.told.lock().unwrap().fails.insert(found);
    let (_, run) = stage.assess().await;
    assert!(run["suspended"].is_string(), "{run}");
    assert_eq!(stage.state().await, "suspended");
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    insta::assert_snapshot!(one["withdrawal"]["reason"].as_str().unwrap(), @"saas-vendor@1 suspends on secret-found: keeps_secrets_out_of_source on manifest: it does not hold");
}

#[tokio::test]
async fn one_person_cannot_shorten_a_suspension() {
    let table =
        [(None, Some("1s"), None), (Some("2h"), Some("1s"), Some(7_200)), (Some("1h"), None, None)];
    for (first, second, seconds) in table {
        let stage = Stage::new().await;
        stage.certify().await;
        stage.pass(60);
        let at = stage.now();
        let mut receipt = Value::Null;
        for period in [first, second] {
            let body = json!({
                "integration": "acme-helpdesk", "kind": "suspend", "reason": "odd", "for": period,
            });
            receipt = stage.post("rita", "/v1/revocations", body).await.1;
        }
        let until = receipt["until"].as_str().map(ToOwned::to_owned);
        let expected =
            seconds.map(|it| (at + countersign_model::time::Period::from_seconds(it)).to_string());
        assert_eq!(until, expected, "{first:?} then {second:?}");
    }
}
