//! Drills over the API at a real platform: nothing is touched in shadow, and live everything comes true.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::Platform as _;
use countersign_model::declare::Manifest;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::Timestamp;
use countersign_sandbox::Kind;
use countersign_sandbox::manifests::{Version, manifest, text};
use serde_json::{Value, json};

use crate::town::Town;

/// Everything that both tenants wrote down, and everything that they hold.
async fn records(town: &Town, manifest: &Manifest) -> Vec<String> {
    let mut all = Vec::new();
    let since = Timestamp::from_seconds(0);
    let slug = &manifest.integration.id;
    for lane in [Lane::Certified, Lane::Trial] {
        let platform = town.sandbox.connector(lane, Arc::new(SystemClock::start())).unwrap();
        all.push(format!("{:?}", platform.admin_log(since).await.unwrap()));
        all.push(format!("{:?}", platform.granted(manifest).await.unwrap()));
        all.push(format!("{:?}", platform.deliveries(slug, since).await.unwrap()));
        all.push(format!("{:?}", platform.received(slug, since).await.unwrap()));
        for identity in &manifest.identities {
            let client = identity.client_id();
            for log in [
                platform.token_log(client, since).await.unwrap(),
                platform.access_log(client, since).await.unwrap(),
            ] {
                all.push(String::from_utf8(log).unwrap());
            }
        }
    }
    all
}

/// The rows of a report by part, path and subject.
fn rows(report: &Value) -> BTreeMap<String, Value> {
    let word = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    let each = report["rows"].as_array().unwrap().iter();
    let name =
        |it: &Value| format!("{} {} {}", word(it, "part"), word(it, "path"), word(it, "subject"));
    each.map(|it| (name(it), it.clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payroll_is_drilled_at_a_platform() {
    let town = Town::start().await;
    let kind = Kind::Payrun;
    let manifest = manifest(kind).unwrap();
    town.submit(&text(kind, Version::Right)).await;
    let tried = town.sandbox.partner(kind).business(Lane::Trial, 20).await;
    assert_eq!(tried.tokens.admitted, 20, "{tried:?}");
    town.sandbox.keep_busy();
    town.certify(kind).await;
    town.sandbox.rest();

    let before = records(&town, &manifest).await;
    assert!(before.iter().any(|it| it.contains("granted")), "there is something to compare");
    let body = json!({ "integration": kind.slug() });
    let (status, said) = town.post("olga", "/v1/drills", body).await;
    assert_eq!((status, &said["refused"]), (200, &Value::Null), "{said:#}");
    let steps = said["steps"].as_array().unwrap();
    for part in ["kill-switch", "rotate", "offboard", "audit"] {
        let mine: Vec<&Value> = steps.iter().filter(|it| it["part"] == part).collect();
        assert!(!mine.is_empty(), "{part}: {said:#}");
        assert!(mine.iter().all(|it| it["does"] != "" && it["undone"] != ""), "{mine:#?}");
    }
    assert_eq!(records(&town, &manifest).await, before, "neither tenant has a new line");

    town.sandbox.keep_busy();
    let body = json!({
        "integration": kind.slug(), "mode": "live", "window": "10m",
        "load": { "per_second": 50, "seconds": 4 },
    });
    let (status, report) = town.post("olga", "/v1/drills", body).await;
    town.sandbox.rest();
    assert_eq!((status, &report["exit"]), (200, &json!(0)), "{report:#}");
    let rows = rows(&report);
    let row = |name: &str| rows.get(name).unwrap_or_else(|| panic!("{name}: {:#?}", rows.keys()));
    let load = row("rotate load sa:payrun-scim")["seen"].as_str().unwrap();
    assert!(
        load.ends_with("200 times at 50/s: 200 tokens, 200 calls, 0 failed, nobody else acted"),
        "{load}"
    );
    let acts = row("audit acts sa:payrun-scim")["seen"].as_str().unwrap();
    assert!(acts.starts_with("12 of 12 acts found"), "{acts}");
    for path in ["token-mint", "token-use", "token-introspect"] {
        let row = row(&format!("kill-switch {path} sa:payrun-scim"));
        assert!(row["now_ms"].is_u64() && row["met"] == true, "{row:#}");
    }
    for lane in ["production", "test"] {
        let row = row(&format!("kill-switch {lane} gates 1 of 1 gates"));
        assert_eq!(row["met"], true, "{row:#}");
    }
    let copies = format!("{}.copy-", manifest.identities[0].client_id());
    let platform = town.sandbox.connector(Lane::Trial, Arc::new(SystemClock::start())).unwrap();
    let listed = format!("{:?}", platform.inventory().await.unwrap());
    assert!(!listed.contains(&copies), "a copy is left: {listed}");
    town.stop().await;
}
