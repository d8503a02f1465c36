//! What was offboarded is tried again by the server: a day later, after thirty days, and after a restart.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign_model::check::{Evidence, Verdict};
use countersign_seal::Digest;
use countersign_server::pack::{Judges, Pins, verify};
use countersign_server::steps::sweep;
use countersign_server::steps::take_up::Agenda;
use countersign_store::{Addition, Store};
use serde_json::{Value, json};

use crate::later::{CANARY_REFRESH, CANARY_SEED, CANARY_TOKEN};
use crate::stage::{MANIFEST, Stage};

const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;

fn payroll() -> String {
    MANIFEST.replacen("saas-vendor@1", "payroll-partner@1", 1)
}

/// A stage on which a payroll partner has been checked, with a copy that is kept.
async fn checked() -> Stage {
    let stage = Stage::new().await;
    stage.fake.told.lock().unwrap().keeps = true;
    assert_eq!(stage.submit("olga", &payroll()).await.0, 201);
    let (_, run) = stage.assess().await;
    assert_eq!(run["exit"], 0, "{run}");
    stage
}

async fn certified() -> Stage {
    let stage = Stage::new().await;
    stage.fake.told.lock().unwrap().keeps = true;
    stage.certify_as(&payroll()).await;
    stage
}

async fn look(stage: &Stage, agenda: &mut Agenda) -> usize {
    sweep::look(&stage.app, agenda).await.unwrap()
}

pub(crate) async fn look_anew(stage: &Stage) -> usize {
    look(stage, &mut sweep::agenda()).await
}

pub(crate) async fn one(stage: &Stage) -> Value {
    stage.get("paul", "/v1/integrations/acme-helpdesk").await.1
}

/// The states of the looks of each drill that is shown, the oldest first: `owed owed`.
pub(crate) async fn states(stage: &Stage) -> Vec<String> {
    let one = one(stage).await;
    let words = |it: &Value| {
        let sweeps = it["sweeps"].as_array().unwrap();
        let words: Vec<&str> = sweeps.iter().map(|it| it["state"].as_str().unwrap()).collect();
        let ended = it["ended"].as_str().map(|it| format!(" ({it})")).unwrap_or_default();
        format!("{}{ended}", words.join(" "))
    };
    one["sweeps"].as_array().unwrap().iter().map(words).collect()
}

pub(crate) async fn reasons(stage: &Stage) -> Vec<String> {
    let one = one(stage).await;
    let words = one["reasons"].as_array().unwrap().iter();
    words.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// What was tried again since, in no order of its own.
fn swept(stage: &Stage) -> Vec<String> {
    let swept = std::mem::take(&mut stage.fake.told.lock().unwrap().swept);
    let mut words: Vec<String> =
        swept.into_iter().map(|(sweep, copy)| format!("{copy} at {sweep}")).collect();
    words.sort();
    words
}

pub(crate) async fn kept(stage: &Stage) -> usize {
    stage.app.book.kept().await.unwrap().len()
}

#[tokio::test]
async fn a_payroll_partner_is_certified_with_later_looks_owed_and_they_are_made() {
    let stage = certified().await;
    assert_eq!(states(&stage).await, ["owed owed"]);
    let (_, packet) = stage.get("ada", "/v1/reviews/acme-helpdesk").await;
    let shown = &packet["sweeps"][0]["sweeps"];
    assert_eq!(shown[0]["due"], "2026-11-19T11:06:40.000Z", "{packet:#}");
    assert_eq!(shown[1]["due"], "2026-12-18T11:06:40.000Z", "{packet:#}");
    stage.pass(60);
    let (_, run) = stage.assess().await;
    let owed: Vec<&Value> = run["owed"].as_array().unwrap().iter().map(|it| &it["what"]).collect();
    assert_eq!(owed, ["T+24 h", "T+30 d"], "{run}");
    assert_eq!(look_anew(&stage).await, 0, "nothing is due yet");
    assert_eq!(stage.state().await, "certified");

    // The server is gone between the looks; nothing is lost.
    stage.pass(DAY);
    let stage = stage.restart().await;
    assert_eq!(look_anew(&stage).await, 2);
    assert_eq!(swept(&stage), ["acme-helpdesk.copy-1 at T+24 h", "acme-helpdesk.copy-2 at T+24 h"]);
    assert_eq!(states(&stage).await, ["gone owed", "gone owed"]);
    assert_eq!(look_anew(&stage).await, 0, "once");
    let shown = one(&stage).await;
    let evidence = shown["sweeps"][0]["sweeps"][0]["evidence"].as_str().unwrap().to_owned();
    let (status, document) = stage.get("paul", &format!("/v1/evidence/{evidence}")).await;
    assert_eq!((status, &document["judgement"]["verdict"]), (200, &json!("pass")), "{document}");

    stage.pass(29 * DAY);
    let stage = stage.restart().await;
    assert_eq!(look_anew(&stage).await, 2);
    assert_eq!(swept(&stage), ["acme-helpdesk.copy-1 at T+30 d", "acme-helpdesk.copy-2 at T+30 d"]);
    assert_eq!(states(&stage).await, ["gone gone (whole)"], "the last of its client stays shown");
    assert_eq!(kept(&stage).await, 0, "after the last look nothing is kept");
    assert!(!reasons(&stage).await.iter().any(|it| it.contains("sweep")));
    let (_, log) = stage.raw("paul", "GET", "/v1/log/entries?from=0&n=1000", None).await;
    let told = String::from_utf8(log).unwrap();
    for (kind, times) in [("check.canaries-kept", 2), ("monitor.swept", 4)] {
        assert_eq!(events(&stage).await.iter().filter(|it| *it == kind).count(), times, "{told}");
    }
}

/// The kinds of all events.
pub(crate) async fn events(stage: &Stage) -> Vec<String> {
    let entries = stage.app.book.entries(0, 1_000).await.unwrap();
    let kind = |bytes: &[u8]| {
        let event: Value = serde_json::from_slice(bytes).unwrap();
        event["kind"].as_str().unwrap().to_owned()
    };
    entries.iter().map(|it| kind(&it.1)).collect()
}

#[tokio::test]
async fn a_look_that_is_overdue_opens_the_question_and_one_that_is_made_late_closes_it() {
    let stage = checked().await;
    assert_eq!(stage.approve("ada").await.0, 200);
    stage.pass(DAY + 6 * HOUR);
    assert_eq!(states(&stage).await, ["overdue owed"]);
    assert_eq!(
        (stage.state().await.as_str(), reasons(&stage).await),
        ("checking", vec!["sweep-overdue".to_owned()])
    );
    assert!(stage.get("ben", "/v1/reviews").await.1.as_array().unwrap().is_empty());
    let (status, answer) = stage.approve("ben").await;
    assert_eq!((status, &answer["code"]), (409, &json!("not-ready")), "{answer}");
    assert_eq!(look_anew(&stage).await, 1);
    assert_eq!(states(&stage).await, ["gone owed"]);
    assert_eq!(stage.state().await, "in-review");

    let stage = certified().await;
    assert!(!reasons(&stage).await.contains(&"sweep-overdue".to_owned()));
    stage.pass(DAY + 6 * HOUR);
    assert!(
        reasons(&stage).await.contains(&"sweep-overdue".to_owned()),
        "{:?}",
        reasons(&stage).await
    );
    assert_eq!(look_anew(&stage).await, 1);
    assert!(!reasons(&stage).await.contains(&"sweep-overdue".to_owned()));
    // Nobody came for the month's look until the credentials' own time was over.
    stage.pass(36 * DAY);
    assert_eq!(look_anew(&stage).await, 1);
    assert_eq!(swept(&stage).len(), 1);
    assert_eq!(states(&stage).await, ["gone never (missed)"], "{:?}", one(&stage).await);
    assert_eq!(kept(&stage).await, 0);
    assert_eq!(events(&stage).await.last().unwrap(), "monitor.sweeps-ended");
    assert_eq!(look_anew(&stage).await, 0);
}

#[tokio::test]
async fn what_cannot_be_judged_is_tried_again_and_told_once_when_it_is_overdue() {
    let stage = certified().await;
    stage.fake.told.lock().unwrap().sweeps.insert("T+24 h".to_owned(), Verdict::Inconclusive);
    stage.pass(DAY);
    let mut agenda = sweep::agenda();
    assert_eq!(look(&stage, &mut agenda).await, 0);
    assert_eq!(look(&stage, &mut agenda).await, 0);
    assert_eq!(swept(&stage).len(), 1, "not at once again");
    for _ in 0..100 {
        stage.pass(6 * HOUR / 100);
        assert!(look(&stage, &mut agenda).await == 0);
    }
    stage.pass(HOUR);
    assert_eq!(look(&stage, &mut agenda).await, 1);
    let tries = swept(&stage).len();
    assert!((8..=14).contains(&tries), "{tries} tries in six hours");
    assert_eq!(events(&stage).await.iter().filter(|it| *it == "monitor.swept").count(), 1);
    assert_eq!(states(&stage).await, ["overdue owed"]);
    let shown = one(&stage).await;
    assert!(shown["sweeps"][0]["sweeps"][0]["evidence"].is_string(), "it says why: {shown:#}");
    // A platform that is down says nothing at all.
    stage.fake.told.lock().unwrap().platform_down = true;
    stage.pass(HOUR);
    assert_eq!(look(&stage, &mut agenda).await, 0);
    stage.fake.told.lock().unwrap().platform_down = false;
    stage.fake.told.lock().unwrap().sweeps.clear();
    stage.pass(2 * HOUR);
    assert_eq!(look(&stage, &mut agenda).await, 1);
    assert_eq!(states(&stage).await, ["gone owed"]);
}

#[tokio::test]
async fn what_comes_back_fails_suspends_and_has_to_stay_away_as_long() {
    let stage = certified().await;
    stage.fake.told.lock().unwrap().sweeps.insert("T+24 h".to_owned(), Verdict::Fail);
    stage.pass(DAY);
    assert_eq!(look_anew(&stage).await, 2, "the look, and the suspension");
    assert_eq!(kept(&stage).await, 0, "what is let in is kept no longer");
    assert_eq!(states(&stage).await, ["came-back never (found)"]);
    let shown = one(&stage).await;
    assert_eq!(shown["state"], "suspended", "{shown:#}");
    assert!(shown["failing"]["CTS-WDR-02"].is_string(), "{shown:#}");
    assert_eq!(shown["triggers"], json!(["offboarding-failed"]));
    insta::assert_snapshot!(shown["withdrawal"]["reason"].as_str().unwrap(), @"payroll-partner@1 suspends on offboarding-failed: stays_gone_after_offboarding on manifest: an offboarded client is let in");

    // The next run is told, until a later copy was gone as long.
    stage.pass(1);
    stage.assess().await;
    let came_back = stage.fake.told.lock().unwrap().came_back.clone();
    assert_eq!(came_back["manifest"].sweep, "T+24 h");
    stage.fake.told.lock().unwrap().sweeps.clear();
    assert_eq!(stage.approve("ada").await.1["code"], "not-ready");
    stage.pass(DAY);
    assert_eq!(look_anew(&stage).await, 1);
    stage.assess().await;
    assert!(stage.fake.told.lock().unwrap().came_back.is_empty());
    let shown = one(&stage).await;
    assert_eq!(shown["failing"], json!({}), "{shown:#}");
}

#[tokio::test]
async fn what_comes_back_before_anybody_certified_is_in_the_way() {
    let stage = checked().await;
    assert_eq!(stage.approve("ada").await.0, 200);
    stage.fake.told.lock().unwrap().sweeps.insert("T+24 h".to_owned(), Verdict::Fail);
    stage.pass(DAY);
    assert_eq!(look_anew(&stage).await, 1, "nothing is trusted yet that could be suspended");
    assert_eq!(reasons(&stage).await, ["CTS-WDR-02"]);
    let (status, answer) = stage.approve("ben").await;
    assert_eq!((status, &answer["code"]), (409, &json!("not-ready")), "{answer}");
}

#[tokio::test]
async fn a_profile_that_only_observes_is_told_and_not_stopped() {
    let stage = Stage::new().await;
    stage.fake.told.lock().unwrap().keeps = true;
    stage.certify().await;
    stage.fake.told.lock().unwrap().sweeps.insert("T+24 h".to_owned(), Verdict::Fail);
    stage.pass(DAY);
    assert_eq!(look_anew(&stage).await, 1);
    assert_eq!(states(&stage).await, ["came-back never (found)"]);
    assert_eq!(one(&stage).await["failing"], json!({}));
}

#[tokio::test]
async fn lost_credentials_open_the_question_until_a_new_run() {
    // What is gone is told at once, and not when its turn would have come.
    for (lost, after) in [("key", DAY), ("row", DAY), ("row", 0)] {
        let stage = certified().await;
        if lost == "key" {
            std::fs::remove_file(stage.folder().join("keys/canary.json")).unwrap();
        } else {
            let store = Store::open(&stage.folder().join("countersign.sqlite")).await.unwrap();
            let ids: Vec<String> = store.sealed().await.unwrap().into_iter().collect();
            store.forget(&ids).await.unwrap();
        }
        stage.pass(after);
        let stage = stage.restart().await;
        assert_eq!(look_anew(&stage).await, 1, "{lost}");
        assert_eq!(swept(&stage), Vec::<String>::new(), "{lost}");
        assert_eq!(states(&stage).await, ["never never (lost)"], "{lost}");
        assert_eq!(kept(&stage).await, 0, "{lost}");
        assert!(reasons(&stage).await.contains(&"canaries-lost".to_owned()), "{lost}");
        stage.assess().await;
        assert!(!reasons(&stage).await.contains(&"canaries-lost".to_owned()), "{lost}");
        assert_eq!(states(&stage).await, ["owed owed"], "{lost}");
    }
}

#[tokio::test]
async fn so_many_are_kept_and_none_that_nobody_watches() {
    let stage = certified().await;
    for _ in 0..10 {
        stage.pass(60);
        stage.assess().await;
        assert!(kept(&stage).await <= 4);
    }
    assert_eq!(kept(&stage).await, 4);
    // One that no drill is watched with: left over from a crash.
    let store = Store::open(&stage.folder().join("countersign.sqlite")).await.unwrap();
    let known = store.kept().await.unwrap();
    let addition = Addition {
        blobs: &[],
        entries: &[],
        tiles: &[],
        root: known.root.unwrap(),
        sealed: &[("drl_00000001YG0000000000000000".to_owned(), vec![1])],
        forgotten: &[],
    };
    store.append(known.size, addition).await.unwrap();
    assert_eq!(kept(&stage).await, 5);
    assert_eq!(look_anew(&stage).await, 0);
    assert_eq!(kept(&stage).await, 4);
    // After a revocation a refusal says nothing about the end of a copy.
    stage.withdraw("revoke").await;
    assert_eq!(look_anew(&stage).await, 0);
    assert_eq!(kept(&stage).await, 0);
}

/// Everything that is written to the log of the process.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The bytes of every file below a folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    all
}

#[tokio::test]
async fn credentials_stand_nowhere_in_the_clear() {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For all threads: where each has its own, an event that another thread saw first is written nowhere.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let stage = certified().await;
    assert_eq!(kept(&stage).await, 1);
    let mut shown = files(stage.folder());
    for turn in 0..2 {
        for path in [
            "/v1/integrations/acme-helpdesk",
            "/v1/reviews/acme-helpdesk",
            "/v1/packs/acme-helpdesk",
            "/v1/integrations/acme-helpdesk/progress",
        ] {
            let (status, bytes) = stage.raw("paul", "GET", path, None).await;
            assert_eq!(status, 200, "{path}");
            shown.push((path.to_owned(), bytes));
        }
        for (index, entry) in stage.app.book.entries(0, 1_000).await.unwrap() {
            shown.push((format!("entry {index}"), entry));
        }
        if turn == 0 {
            stage.fake.told.lock().unwrap().sweeps.insert("T+24 h".to_owned(), Verdict::Fail);
            stage.pass(DAY);
            look_anew(&stage).await;
            shown.extend(files(stage.folder()));
        }
    }
    let log = written.0.lock().unwrap().clone();
    let told = String::from_utf8_lossy(&log).into_owned();
    assert!(told.contains("swept"), "the log is read at all: {told}");
    shown.push(("the log".to_owned(), log));
    let secrets: Vec<Vec<u8>> = vec![
        CANARY_TOKEN.as_bytes().to_vec(),
        CANARY_REFRESH.as_bytes().to_vec(),
        CANARY_SEED.to_vec(),
        STANDARD.encode(CANARY_SEED).into_bytes(),
        URL_SAFE_NO_PAD.encode(CANARY_SEED).into_bytes(),
        Digest::from_bytes(CANARY_SEED).hex().into_bytes(),
    ];
    for (place, bytes) in &shown {
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|it| it == secret.as_slice());
            assert!(!found, "{place} shows {}", String::from_utf8_lossy(secret));
        }
    }
}

#[tokio::test]
async fn a_pack_holds_what_was_seen_later_and_verifies() {
    let judges = || Judges {
        again: |it: &Evidence| Some(it.judgement.clone()),
        misframed: |_, _| None,
        subjects: |_, _| Some(vec!["manifest".to_owned()]),
    };
    let stage = certified().await;
    stage.pass(DAY);
    assert_eq!(look_anew(&stage).await, 1);
    let (_, pack) = stage.get("paul", "/v1/packs/acme-helpdesk").await;
    assert_eq!(pack["sweeps"].as_array().unwrap().len(), 1);
    let (_, keys) = stage.get("paul", "/v1/keys").await;
    let pins = Pins::all(&serde_json::from_value(keys).unwrap()).unwrap();
    let line = |pack: &Value| {
        let report = verify(pack.to_string().as_bytes(), &pins, stage.now(), judges());
        let line = report.lines.iter().find(|it| it.check == "sweeps");
        line.map(|it| format!("{:?} {}", it.word, it.text.split('_').next().unwrap()))
    };
    assert!(verify(pack.to_string().as_bytes(), &pins, stage.now(), judges()).holds());
    insta::assert_snapshot!(line(&pack).unwrap(), @"Holds 1 later looks are those that the log names; judged again, with the same verdict");
    let mut forged = pack.clone();
    forged["sweeps"][0]["judgement"]["sentence"] = json!("it was never there");
    insta::assert_snapshot!(line(&forged).unwrap(), @"Fails ev");
    let mut less = pack.clone();
    less.as_object_mut().unwrap().remove("sweeps");
    insta::assert_snapshot!(line(&less).unwrap(), @"Fails 0 later looks are here, and the log names 1");
}
