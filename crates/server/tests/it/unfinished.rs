use serde_json::json;

use crate::stage::{Stage, Trouble};

#[tokio::test]
async fn a_platform_that_is_down_is_asked_again_until_every_path_is_proven() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    stage.fake.told.lock().unwrap().platform_down = true;
    let (status, receipt) = stage.withdraw("revoke").await;
    assert_eq!((status, receipt["proven"].as_u64()), (200, Some(0)), "{receipt}");
    let states: Vec<_> =
        receipt["paths"].as_array().unwrap().iter().map(|it| &it["state"]).collect();
    assert!(states.iter().all(|it| **it == "acknowledged"), "the gates have heard: {receipt}");
    assert_eq!(stage.take_up().await, 1);
    let stage = stage.restart().await;
    stage.fake.told.lock().unwrap().platform_down = false;
    assert_eq!(stage.take_up().await, 1);
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    assert_eq!(one["withdrawal"]["proven"], one["withdrawal"]["total"], "{one}");
    assert_eq!(stage.take_up().await, 0);
}

#[tokio::test]
async fn a_retry_asks_and_proves_only_what_is_missing() {
    // Of five paths each is cut once, then one is probed before the platform is gone.
    for trouble in [Trouble::Errors, Trouble::Hangs, Trouble::DiesAfter(6)] {
        let stage = Stage::new().await;
        stage.certify().await;
        stage.pass(60);
        stage.fake.told.lock().unwrap().trouble = Some(trouble);
        let (status, receipt) = stage.withdraw("revoke").await;
        assert_eq!((status, &receipt["total"]), (200, &json!(5)), "{receipt}");
        let proven = i32::from(matches!(trouble, Trouble::DiesAfter(_)));
        assert_eq!(receipt["proven"], proven, "{trouble:?}: {receipt}");
        let id = receipt["revocation"].as_str().unwrap();
        let retry = format!("/v1/revocations/{id}/retry");
        let (status, again) = stage.post("rita", &retry, json!({})).await;
        assert_eq!((status, &again["proven"]), (200, &json!(proven)), "{trouble:?}: {again}");
        assert_eq!(stage.state().await, "revoked", "{trouble:?}: gates deny all the while");

        stage.done();
        stage.fake.told.lock().unwrap().trouble = None;
        let (_, whole) = stage.post("rita", &retry, json!({})).await;
        assert_eq!(whole["proven"], 5, "{trouble:?}: {whole}");
        let missing = usize::try_from(5 - proven).unwrap();
        assert_eq!(stage.done().len(), missing, "{trouble:?}: only what was missing is asked");
        stage.post("rita", &retry, json!({})).await;
        assert_eq!(stage.done(), Vec::<String>::new(), "{trouble:?}: nothing is left to ask");
    }
}

#[tokio::test]
async fn nothing_is_proven_while_a_gate_that_has_not_heard_may_admit() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    stage.cut_the_gate_off();
    let (_, receipt) = stage.withdraw("revoke").await;
    assert_eq!(receipt["proven"], 0, "{receipt}");
    let exposed: countersign_model::time::Timestamp =
        receipt["exposed_until"].as_str().unwrap().parse().unwrap();
    assert!(stage.now() < exposed, "{receipt}");
    while stage.now() < exposed {
        assert_eq!(stage.take_up().await, 1);
        stage.pass(60);
    }
    stage.take_up().await;
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    assert_eq!(one["withdrawal"]["proven"], one["withdrawal"]["total"], "{one}");
}

#[tokio::test]
async fn what_two_people_had_destroyed_is_destroyed_in_the_end() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    let (_, receipt) = stage.withdraw("revoke").await;
    let path = format!("/v1/revocations/{}/destroy", receipt["revocation"].as_str().unwrap());
    assert_eq!(stage.post("ada", &path, json!({})).await.1["done"], false);
    stage.done();
    stage.fake.told.lock().unwrap().platform_down = true;
    let (status, answer) = stage.post("ben", &path, json!({})).await;
    assert_eq!((status, &answer["people"], &answer["done"]), (200, &json!(2), &json!(false)));
    assert_eq!(stage.take_up().await, 1);
    let stage = stage.restart().await;
    stage.fake.told.lock().unwrap().platform_down = false;
    assert_eq!(stage.take_up().await, 1);
    assert_eq!(stage.done(), ["destroy"]);
    assert_eq!(stage.take_up().await, 0);
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    assert_eq!(one["withdrawal"]["destroyed"], true, "{one}");
}

fn restored(done: &[String]) -> usize {
    done.iter().filter(|it| it.starts_with("restore")).count()
}

#[tokio::test]
async fn what_was_cut_is_given_back_when_trust_comes_back() {
    for end in ["people", "time", "certificate"] {
        let stage = Stage::new().await;
        stage.certify().await;
        stage.pass(60);
        let kind = if end == "certificate" { "revoke" } else { "suspend" };
        let body = json!({
            "integration": "acme-helpdesk", "kind": kind, "reason": "odd",
            "for": (end == "time").then_some("1h"),
        });
        let (status, receipt) = stage.post("rita", "/v1/revocations", body).await;
        assert_eq!(status, 200, "{receipt}");
        let paths = usize::try_from(receipt["total"].as_u64().unwrap()).unwrap();
        assert_eq!(stage.take_up().await, 0, "{end}: nothing comes back before its time");
        assert_eq!(restored(&stage.done()), 0, "{end}");
        stage.fake.told.lock().unwrap().platform_down = end != "certificate";
        match end {
            "people" => {
                let id = receipt["revocation"].as_str().unwrap();
                let path = format!("/v1/revocations/{id}/resume");
                stage.post("ada", &path, json!({})).await;
                assert_eq!(stage.post("ben", &path, json!({})).await.1["restored"], false);
            }
            "time" => stage.pass(3_601),
            _ => {
                stage.pass(1);
                assert_eq!(stage.certify().await["restored"], true);
            }
        }
        // The platform was down, and the server was restarted: it is not forgotten.
        let stage = stage.restart().await;
        stage.fake.told.lock().unwrap().platform_down = false;
        assert_eq!(stage.take_up().await, usize::from(end != "certificate"), "{end}");
        assert_eq!(restored(&stage.done()), paths, "{end}");
        assert_eq!(stage.take_up().await, 0, "{end}: once is enough");
        assert_eq!(stage.state().await, "certified", "{end}");
    }
}

#[tokio::test]
async fn a_certificate_does_not_outlive_the_key_of_its_approver() {
    let stage = Stage::new().await;
    stage.certify().await;
    let stage = stage.restart_without(&["eve"]).await;
    assert_eq!(stage.state().await, "certified", "eve approved nothing");
    let stage = stage.restart_without(&["eve", "ben"]).await;
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    assert_eq!(
        (&one["state"], &one["reasons"]),
        (&json!("lapsed"), &json!(["approver-key-revoked"]))
    );
    // The key counts again, the certificate does not.
    let stage = stage.restart().await;
    assert_eq!(stage.state().await, "lapsed");
}

#[tokio::test]
async fn a_control_that_fails_after_the_certificate_makes_it_due_and_blocks_the_next() {
    for check in ["got_no_production_trust_before_a_pass", "grants_only_declared_scopes"] {
        let stage = Stage::new().await;
        stage.certify().await;
        stage.pass(60);
        stage.fake.told.lock().unwrap().fails.insert(check.to_owned());
        stage.assess().await;
        assert_eq!(stage.state().await, "due", "{check}");
        let (_, first) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
        stage.pass(3_600);
        stage.assess().await;
        let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
        let until = &one["admits_until"];
        assert_eq!(until, &first["admits_until"], "{check}: asking again buys no time");
        stage.approve("ada").await;
        stage.approve("ben").await;
        assert_eq!(stage.plan().await.0, 409, "{check}");
        stage.fake.told.lock().unwrap().fails.clear();
        stage.pass(1);
        assert_eq!(stage.assess().await.1["exit"], 0);
        assert_eq!(stage.state().await, "certified", "{check}");
    }
    // What failed already when two people decided is what they accepted.
    let stage = Stage::new().await;
    let late = "got_no_production_trust_before_a_pass";
    stage.fake.told.lock().unwrap().fails.insert(late.to_owned());
    stage.certify().await;
    stage.pass(60);
    stage.assess().await;
    assert_eq!(stage.state().await, "certified");
}
