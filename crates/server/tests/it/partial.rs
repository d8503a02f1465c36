//! Some of the checks are run, or all of them more than once: nothing passes by being left out.

use countersign_model::require::Catalogue;
use serde_json::{Value, json};

use crate::stage::{MANIFEST, Stage};

const CHECK: &str = "refuses_unsigned_webhook";

async fn some(stage: &Stage, only: &[&str], repeat: u32) -> (u16, Value) {
    let body = json!({ "integration": "acme-helpdesk", "only": only, "repeat": repeat });
    stage.post("olga", "/v1/assessments", body).await
}

fn last_asked(stage: &Stage) -> Vec<String> {
    let told = stage.fake.told.lock().unwrap();
    let last = told.asked.last().unwrap().clone();
    last.map(|it| it.into_iter().collect()).unwrap_or_default()
}

fn fails(stage: &Stage, check: Option<&str>) {
    stage.fake.told.lock().unwrap().fails = check.map(str::to_owned).into_iter().collect();
}

#[tokio::test]
async fn a_part_alone_certifies_nothing() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    let (_, run) = some(&stage, &[CHECK], 1).await;
    assert_eq!(run["exit"], 5, "what was not looked at stays open: {run}");
    assert_eq!(last_asked(&stage), [CHECK]);
    assert_eq!(run["kept"], 0);
    assert_eq!(stage.state().await, "checking");
}

#[tokio::test]
async fn what_is_not_run_keeps_what_it_has_good_or_bad() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    fails(&stage, Some("refuses_stale_timestamp"));
    assert_eq!(stage.assess().await.1["exit"], 3);

    fails(&stage, None);
    let (_, run) = some(&stage, &["WHK-01"], 1).await;
    assert_eq!(last_asked(&stage), [CHECK], "a case names its check");
    assert_eq!(run["exit"], 3, "the failure of another one stands: {run}");
    let kept = run["kept"].as_u64().unwrap();
    let checks = u64::try_from(Catalogue::embedded().checks().len()).unwrap();
    assert!(checks / 2 < kept && kept < checks, "{kept} of {checks}");

    let (_, run) = some(&stage, &["refuses_stale_timestamp"], 1).await;
    assert_eq!(run["exit"], 0, "now everything is there and passes: {run}");

    fails(&stage, Some(CHECK));
    assert_eq!(
        some(&stage, &[CHECK], 1).await.1["exit"],
        3,
        "a pass is not kept against a failure"
    );
}

#[tokio::test]
async fn nothing_is_kept_that_is_old_or_about_something_else() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    assert_eq!(stage.assess().await.1["exit"], 0);

    stage.fake.told.lock().unwrap().extra_scope = Some("groups:read".to_owned());
    let (_, run) = some(&stage, &[CHECK], 1).await;
    assert_eq!((&run["exit"], &run["kept"]), (&json!(5), &json!(0)), "another baseline: {run}");

    stage.fake.told.lock().unwrap().extra_scope = None;
    assert_eq!(stage.assess().await.1["exit"], 0);
    let other = MANIFEST.replace("users:read.basic", "users:read.all");
    stage.submit("olga", &other).await;
    let (_, run) = some(&stage, &[CHECK], 1).await;
    assert_eq!(run["kept"], 0, "another manifest: {run}");

    stage.submit("olga", MANIFEST).await;
    assert_eq!(stage.assess().await.1["exit"], 0);
    stage.pass(400 * 24 * 3_600);
    let (_, run) = some(&stage, &[CHECK], 1).await;
    assert_eq!((&run["exit"], &run["kept"]), (&json!(5), &json!(0)), "it is old: {run}");
}

#[tokio::test]
async fn a_name_that_nothing_has_is_refused_and_so_is_too_often() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    let (status, problem) = some(&stage, &["refuses_everything"], 1).await;
    assert_eq!((status, &problem["code"]), (400, &json!("unknown-check")));
    assert_eq!(some(&stage, &[], 11).await.0, 400);
    assert_eq!(stage.fake.told.lock().unwrap().asked.len(), 0);
}

#[tokio::test]
async fn of_several_runs_the_worst_counts() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    stage.fake.told.lock().unwrap().flips = Some(CHECK.to_owned());
    let (_, run) = some(&stage, &[], 3).await;
    assert_eq!(run["exit"], 3, "{run}");
    let expected =
        json!([{ "check": CHECK, "subject": "manifest", "verdicts": ["pass", "fail", "pass"] }]);
    assert_eq!(run["flips"], expected);
    stage.fake.told.lock().unwrap().flips = None;
    let (_, run) = some(&stage, &[], 3).await;
    assert_eq!((&run["exit"], &run["flips"]), (&json!(0), &json!([])));
    let (_, progress) = stage.get("olga", "/v1/integrations/acme-helpdesk/progress").await;
    assert_eq!(progress["running"], false, "{progress}");
}
