//! Drills over the API: announced, bounded, undone, and never stronger than a real withdrawal.

use countersign_model::enforce::snapshot::{Lane, Standing};
use serde_json::{Value, json};

use crate::stage::{MANIFEST, Stage};

async fn drill(stage: &Stage, body: Value) -> (u16, Value) {
    let mut whole = json!({ "integration": "acme-helpdesk", "mode": "live" });
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    stage.post("olga", "/v1/drills", whole).await
}

async fn list(stage: &Stage) -> Vec<Value> {
    let (status, answer) = stage.get("paul", "/v1/drills?integration=acme-helpdesk").await;
    assert_eq!(status, 200, "{answer}");
    answer["drills"].as_array().unwrap().clone()
}

/// What happened since an entry, by kind.
async fn kinds(stage: &Stage, from: u64) -> Vec<String> {
    let entries = stage.app.book.entries(from, 100).await.unwrap();
    let kind = |bytes: &[u8]| {
        let event: Value = serde_json::from_slice(bytes).unwrap();
        event["kind"].as_str().unwrap().to_owned()
    };
    entries.iter().map(|it| kind(&it.1)).collect()
}

fn standing(stage: &Stage, lane: Lane) -> Standing {
    stage.app.book.published().lane(lane).document.entries[0].standing
}

fn met(report: &Value) -> Vec<(String, Value)> {
    let rows = report["rows"].as_array().unwrap();
    let word = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    let each = rows.iter().map(|it| {
        let name = format!("{} {} {}", word(it, "part"), word(it, "path"), word(it, "subject"));
        (name, it["met"].clone())
    });
    each.collect()
}

#[tokio::test]
async fn a_live_drill_is_announced_denies_gives_back_and_is_a_run_of_checks() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    let before = stage.app.book.published().registry.size;
    let (status, report) = drill(&stage, json!({ "window": "5m" })).await;
    assert_eq!(
        (status, &report["exit"], &report["outcome"]),
        (200, &json!(0), &json!("met")),
        "{report:#}"
    );
    assert_eq!(
        kinds(&stage, before).await,
        [
            "revoke.drill-announced",
            "revoke.drill-denied",
            "revoke.drill-lifted",
            "check.assessed",
            "revoke.drilled"
        ],
        "who is told comes before anything is done"
    );
    let told: Vec<&str> = report["announced"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["role"].as_str().unwrap())
        .collect();
    assert!(
        told.contains(&"business owner") && told.contains(&"partner's incident contact"),
        "{told:?}"
    );
    let rows = met(&report);
    for name in [
        "kill-switch production gates 1 of 1 gates",
        "kill-switch production token-mint oauth:acme-helpdesk",
        "kill-switch test token-use oauth:acme-helpdesk",
        "offboard residue manifest",
        "subscription event-out manifest",
        "audit log manifest",
    ] {
        assert!(rows.contains(&(name.to_owned(), json!(true))), "{name}: {rows:#?}");
    }
    let restored = &report["restored"];
    assert_eq!((&restored["open"], &restored["withdrawn"]), (&restored["of"], &json!(false)));
    assert_eq!(stage.state().await, "certified", "neither certificate nor approvals are touched");
    assert!(matches!(standing(&stage, Lane::Certified), Standing::Good { .. }));
    assert_eq!(stage.done(), Vec::<String>::new(), "nothing was told to production");

    // It is evidence as any other run's: the run is the assessment in force.
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    assert_eq!(one["assessment"]["id"], report["run"], "{one}");
    assert_eq!(one["drill"]["outcome"], "met");

    // The next one shows the times of those before it.
    stage.pass(60);
    let (_, second) = drill(&stage, json!({ "only": ["kill-switch"] })).await;
    assert_eq!(second["rows"][0]["last_ms"], json!([report["rows"][0]["now_ms"]]), "{second:#}");
    let all = list(&stage).await;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["drill"], &all[1]["drill"]), (&second["drill"], &report["drill"]));
    assert!(all.iter().all(|it| it.get("salt").is_none()));
}

#[tokio::test]
async fn a_drill_in_shadow_touches_nothing() {
    let stage = Stage::new().await;
    stage.certify().await;
    let before = stage.app.book.published();
    let body = json!({ "integration": "acme-helpdesk" });
    let (status, said) = stage.post("rita", "/v1/drills", body).await;
    assert_eq!((status, &said["mode"]), (200, &json!("shadow")), "{said}");
    assert_eq!((&said["refused"], &said["exit"]), (&Value::Null, &json!(0)));
    let steps = said["steps"].as_array().unwrap();
    let is_whole = |it: &Value| {
        ["part", "path", "does", "at", "call", "undone"].iter().all(|name| it[*name].is_string())
    };
    assert!(steps.iter().all(is_whole), "{steps:#?}");
    assert_eq!(steps[0]["path"], "gate front", "the gates are named too");
    assert!(!said["announces"].as_array().unwrap().is_empty());
    let after = stage.app.book.published();
    assert_eq!((after.registry.size, after.epoch), (before.registry.size, before.epoch));
    assert_eq!(stage.done(), Vec::<String>::new());
    assert_eq!(stage.fake.told.lock().unwrap().asked.len(), 1, "no check ran but the first ones");
    assert_eq!(list(&stage).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_target_that_is_missed_is_a_no_and_what_cannot_be_seen_is_not_judged() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    let failing = "leaves_nothing_behind_when_offboarded";
    stage.fake.told.lock().unwrap().fails.insert(failing.to_owned());
    let (_, report) = drill(&stage, json!({ "only": ["offboard"] })).await;
    assert_eq!((&report["exit"], &report["outcome"]), (&json!(3), &json!("missed")), "{report}");
    assert_eq!(met(&report), [("offboard residue manifest".to_owned(), json!(false))]);
    assert_eq!(stage.fake.told.lock().unwrap().asked.len(), 2);

    stage.fake.told.lock().unwrap().down = true;
    let (_, report) = drill(&stage, json!({ "only": ["rotate"] })).await;
    assert_eq!((&report["exit"], &report["run"]), (&json!(5), &Value::Null), "{report}");
    assert_eq!(list(&stage).await[0]["outcome"], "inconclusive", "it is written down all the same");
}

#[tokio::test]
async fn a_gate_that_does_not_hear_misses_the_target_and_is_named() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    stage.cut_the_gate_off();
    let (_, report) = drill(&stage, json!({ "only": ["kill-switch"] })).await;
    assert_eq!(report["exit"], 3, "{report:#}");
    let gates = &report["rows"][0];
    assert_eq!(gates["seen"], "not heard: front");
    assert_eq!((&gates["met"], &gates["now_ms"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn a_real_revocation_wins_over_the_end_of_a_drill() {
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    // A gate that does not hear keeps the drill waiting, so that there is time for a revocation.
    stage.cut_the_gate_off();
    let revoked = async {
        let mut published = stage.app.book.follow();
        let denies = |it: &std::sync::Arc<countersign_server::book::Published>| {
            let record = it.registry.find("acme-helpdesk").unwrap();
            record.drill_denies_until(stage.now()).is_some()
        };
        published.wait_for(denies).await.unwrap();
        assert!(matches!(
            standing(&stage, Lane::Certified),
            Standing::Suspended { until: Some(_) }
        ));
        assert_eq!(stage.state().await, "certified", "a deny at the gates, and no more than that");
        let (status, second) = drill(&stage, json!({})).await;
        assert_eq!((status, &second["code"]), (409, &json!("drilling")), "one at a time");
        stage.withdraw("revoke").await
    };
    let ((_, report), (status, receipt)) =
        tokio::join!(drill(&stage, json!({ "only": ["kill-switch"] })), revoked);
    assert_eq!(status, 200, "{receipt}");
    assert_eq!(report["restored"]["withdrawn"], true, "{report:#}");
    assert_eq!(stage.state().await, "revoked");
    for lane in [Lane::Certified, Lane::Trial] {
        assert_eq!(standing(&stage, lane), Standing::Revoked, "{lane:?}");
    }
    let (status, problem) = drill(&stage, json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("revoked")));
}

#[tokio::test]
async fn outside_of_its_hours_it_is_refused_with_the_next_time() {
    let stage = Stage::new().await;
    let text = MANIFEST.replace("00:00-24:00 UTC", "06:00-20:00 UTC");
    assert_eq!(stage.submit("olga", &text).await.0, 201);
    // To 21:00 UTC of that day.
    let of_day = stage.now().seconds().rem_euclid(86_400);
    stage.pass(21 * 3_600 - of_day);
    let before = stage.app.book.published().registry.size;
    let (status, problem) = drill(&stage, json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("outside-hours")), "{problem}");
    let next = countersign_model::time::Timestamp::from_seconds(stage.now().seconds() + 9 * 3_600);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.ends_with(&format!("the next time is {next}")), "{detail}");
    assert_eq!(stage.app.book.published().registry.size, before, "nobody was told");
    let (_, said) = drill(&stage, json!({ "mode": "shadow" })).await;
    assert_eq!(said["refused"], *detail, "in shadow it is said, too");
    stage.pass(9 * 3_600);
    let (status, report) = drill(&stage, json!({ "only": ["audit"] })).await;
    assert_eq!((status, &report["outcome"]), (200, &json!("met")), "{report}");
    let (status, problem) = drill(&stage, json!({ "window": "15h" })).await;
    assert_eq!((status, &problem["code"]), (422, &json!("window")), "{problem}");
}

#[tokio::test]
async fn a_deny_that_nobody_lifts_ends_by_itself() {
    use countersign_model::event::{Event, What};
    let stage = Stage::new().await;
    stage.certify().await;
    stage.pass(60);
    let (_, report) = drill(&stage, json!({ "only": ["kill-switch"], "window": "10m" })).await;
    let mut registry = stage.app.book.published().registry.clone();
    let record = registry.find("acme-helpdesk").unwrap().clone();
    let drill = report["drill"].as_str().unwrap().parse().unwrap();
    let at = stage.now();
    let far = at + countersign_model::time::Period::from_days(9);
    let what = What::DrillDenied { integration: record.id.clone(), drill, until: far };
    registry.apply(&Event::new(at, None, what));
    let record = registry.find("acme-helpdesk").unwrap();
    let until = record.drill_denies_until(at).unwrap();
    assert_eq!(until, record.drills[0].until, "it never outlives what was announced");
    assert_eq!(record.drill_denies_until(until), None);
}

#[tokio::test]
async fn a_drill_that_is_too_old_makes_it_due_and_a_new_one_ends_that() {
    let stage = Stage::new().await;
    stage.certify_as(&MANIFEST.replace("drill_every  = \"90d\"", "drill_every = \"2h\"")).await;
    stage.pass(3_600);
    assert_eq!(stage.state().await, "certified");
    let (_, report) = drill(&stage, json!({ "only": ["audit"] })).await;
    assert_eq!(report["exit"], 0, "{report:#}");
    stage.pass(3_601);
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    assert_eq!((&one["state"], &one["reasons"]), (&json!("due"), &json!(["evidence-stale"])));
    let (_, report) = drill(&stage, json!({})).await;
    assert_eq!(report["exit"], 0, "{report:#}");
    let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
    assert_eq!(one["state"], "certified", "it was rehearsed again: {one:#}");
    stage.pass(7_201);
    assert_eq!(stage.state().await, "due");
    // What failed does not count as rehearsed.
    let failing = "denies_every_path_when_suspended";
    stage.fake.told.lock().unwrap().fails.insert(failing.to_owned());
    let (_, report) = drill(&stage, json!({})).await;
    assert_eq!(report["exit"], 3, "{report:#}");
    assert_eq!(stage.state().await, "due");
}

#[tokio::test]
async fn not_everybody_may_have_a_drill_and_nonsense_is_refused() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    let body = json!({ "integration": "acme-helpdesk", "mode": "live" });
    for who in ["ada", "paul", "gate"] {
        assert_eq!(stage.post(who, "/v1/drills", body.clone()).await.0, 403, "{who}");
    }
    for (body, status) in [
        (json!({ "only": ["everything"] }), 400),
        (json!({ "mode": "wet" }), 400),
        (json!({ "window": "1s" }), 422),
        (json!({ "window": "9h" }), 422),
        (json!({ "load": { "per_second": 201 } }), 422),
        (json!({ "load": { "seconds": 0 } }), 422),
        (json!({ "load": { "hours": 1 } }), 400),
        (json!({ "integration": "nobody" }), 404),
    ] {
        assert_eq!(drill(&stage, body.clone()).await.0, status, "{body}");
    }
}
