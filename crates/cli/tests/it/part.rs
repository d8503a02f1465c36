//! A run that is interrupted says what it came to, and part of one keeps the rest.

use crate::town::{Town, signal, until};

#[test]
fn a_run_is_interrupted_ended_by_the_server_and_repeated_in_part() {
    let town = Town::start("5s");
    let manifest = town.path("manifests/acme-helpdesk.toml");
    town.must(0, "olga", &["submit", manifest.to_str().unwrap()]);
    let mut running = town.begin("olga", "check", &["check", "acme-helpdesk"]);
    until("a judged check", 60, || town.said("check", "err").contains(": pass"));
    signal(&running, "INT");
    assert_eq!(running.wait().unwrap().code(), Some(130));
    let out = town.said("check", "out");
    assert!(out.contains("interrupted: ") && out.contains(": pass"), "{out}");

    // What was begun is ended and written down.
    until("the end of the run", 120, || {
        town.json("paul", &["status", "acme-helpdesk"])["assessment"]["id"].is_string()
    });
    let only = ["check", "acme-helpdesk", "--only", "refuses_unsigned_webhook", "--repeat", "2"];
    let part = town.json("olga", &only);
    assert!(part["run"].is_string() && 0 < part["kept"].as_u64().unwrap(), "{part}");
    assert_eq!(part["flips"], serde_json::json!([]));
    let ran = town.run("olga", &["check", "acme-helpdesk", "--only", "refuses_nobody"]);
    assert_eq!(ran.exit, 2, "{ran:?}");
    let failed = town.run("olga", &["check", "acme-helpdesk", "--failed"]);
    assert!([0, 3, 5, 8].contains(&failed.exit), "{failed:?}");
}
