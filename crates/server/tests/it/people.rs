use serde_json::json;

use crate::stage::{MANIFEST, Stage};

#[tokio::test]
async fn two_different_people_and_never_the_requester() {
    // Who submitted; who decides and whose key signs; the last answer; whether a plan is possible.
    type Row = (&'static str, &'static [(&'static str, &'static str)], (u16, &'static str), bool);
    let table: [Row; 7] = [
        ("olga", &[("ada", "ada"), ("ben", "ben")], (200, ""), true),
        ("olga", &[("ada", "ada")], (200, ""), false),
        ("olga", &[("ada", "ada"), ("ada", "ada")], (403, "one-person-twice"), false),
        ("olga", &[("ada", "ada"), ("ben", "ada")], (422, "bad-signature"), false),
        ("eve", &[("ada", "ada"), ("eve", "eve")], (403, "requester"), false),
        ("olga", &[("ada", "ada"), ("olga", "olga")], (403, "not-allowed"), false),
        ("olga", &[("ada", "ada"), ("ben", "nobody")], (422, "bad-signature"), false),
    ];
    for (requester, decisions, (status, code), planned) in table {
        let row = format!("{requester} {decisions:?}");
        let stage = Stage::new().await;
        stage.submit(requester, MANIFEST).await;
        assert_eq!(stage.assess().await.1["exit"], 0, "{row}");
        let mut last = (0, json!(null));
        for (who, signer) in decisions {
            last = stage.decide(who, "approve", &[], signer).await;
        }
        assert_eq!(last.0, status, "{row}: {}", last.1);
        assert_eq!(last.1["code"].as_str().unwrap_or_default(), code, "{row}");
        assert_eq!(stage.plan().await.0 == 200, planned, "{row}");
    }
}

#[tokio::test]
async fn two_people_who_approve_different_things_are_one_each() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    stage.assess().await;
    assert_eq!(stage.approve("ada").await.0, 200);
    let (status, answer) = stage.decide("ben", "right-size", &["users:read.basic"], "ben").await;
    assert_eq!((status, answer["people"].as_u64()), (200, Some(1)), "{answer}");
    assert_eq!(stage.plan().await.1["code"], "not-approved");
}

#[tokio::test]
async fn one_no_stops_a_certification() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    stage.assess().await;
    stage.approve("ada").await;
    stage.approve("ben").await;
    assert_eq!(stage.decide("eve", "disable", &[], "eve").await.0, 200);
    assert_eq!(stage.plan().await.1["code"], "refused");
}

#[tokio::test]
async fn what_fails_cannot_be_approved() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    stage.fake.told.lock().unwrap().fails.insert("grants_only_declared_scopes".to_owned());
    assert_eq!(stage.assess().await.1["exit"], 3);
    assert_eq!(stage.approve("ada").await.1["code"], "not-ready");
}

#[tokio::test]
async fn a_plan_is_void_when_anything_moves() {
    for moves in ["nothing", "baseline", "manifest", "assessment", "time", "digest", "twice"] {
        let stage = Stage::new().await;
        stage.submit("olga", MANIFEST).await;
        stage.assess().await;
        stage.approve("ada").await;
        stage.approve("ben").await;
        let (_, mut plan) = stage.plan().await;
        match moves {
            "baseline" => {
                stage.fake.told.lock().unwrap().extra_scope = Some("tickets:delete".to_owned());
            }
            "manifest" => {
                stage
                    .submit(
                        "olga",
                        &MANIFEST.replace("drill_every  = \"90d\"", "drill_every = \"80d\""),
                    )
                    .await;
            }
            "assessment" => {
                stage.pass(1);
                stage.assess().await;
            }
            "time" => stage.pass(31 * 60),
            "digest" => plan["digest"] = json!(countersign_seal::Digest::of(b"other")),
            "twice" => assert_eq!(stage.apply(&plan).await.0, 200),
            _ => {}
        }
        let (status, answer) = stage.apply(&plan).await;
        if moves == "nothing" {
            assert_eq!(status, 200, "{answer}");
        } else {
            assert_eq!(
                (status, answer["code"].as_str()),
                (409, Some("moved")),
                "{moves}: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn roles_open_their_own_doors_only() {
    let stage = Stage::new().await;
    let table = [
        ("", "GET", "/v1/integrations", 401),
        ("nobody", "GET", "/v1/integrations", 401),
        ("", "GET", "/health", 200),
        ("paul", "GET", "/v1/integrations", 200),
        ("paul", "GET", "/metrics", 200),
        ("gate", "GET", "/v1/integrations", 403),
        ("paul", "POST", "/v1/submissions", 400),
        ("paul", "GET", "/v1/gate/snapshot?lane=certified", 403),
        ("gate", "GET", "/v1/gate/heartbeat?lane=certified&nonce=0123456789", 200),
        ("gate", "GET", "/v1/gate/heartbeat?lane=certified&nonce=0", 400),
        ("paul", "GET", "/v1/nothing", 404),
    ];
    for (who, method, path, expected) in table {
        let (status, body) = stage.raw(who, method, path, None).await;
        assert_eq!(status, expected, "{who} {path}: {}", String::from_utf8_lossy(&body));
    }
    let body = json!({ "integration": "acme-helpdesk", "kind": "revoke", "reason": "r" });
    assert_eq!(stage.post("olga", "/v1/revocations", body).await.0, 403);
    assert_eq!(stage.submit("paul", MANIFEST).await.0, 403);
}
