//! A manifest is begun, mended and read.

use crate::run::countersign;

const INIT: [&str; 11] = [
    "init",
    "--like",
    "reseller",
    "--id",
    "northwind",
    "--domain",
    "northwind.example",
    "--owner",
    "a.b@example.com",
    "--holds",
    "oauth-client",
];

#[test]
fn what_init_writes_is_a_manifest_and_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(countersign(folder.path(), &INIT).exit, 0);
    let shown = countersign(folder.path(), &["profile", "show", "--json"]);
    assert_eq!(shown.exit, 0, "{shown:?}");
    let answer: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(answer["total"], 60);
    assert_eq!(answer["tier"]["in_force"], "elevated");
    assert_eq!(countersign(folder.path(), &INIT).exit, 1);
}

#[test]
fn init_without_an_answer_says_which_one() {
    let folder = tempfile::tempdir().unwrap();
    let ran = countersign(folder.path(), &INIT[..9]);
    assert_eq!(ran.exit, 2);
    insta::assert_snapshot!(ran.stderr, @r"
    error: `--holds` is needed
      help: What does it hold? (oauth-client, service-account, key, certificate, webhook, events, with commas)
    ");
}

#[test]
fn a_broken_manifest_is_not_judged_and_every_place_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    countersign(folder.path(), &INIT);
    let path = folder.path().join("countersign.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("max_token_ttl", "max_token_tll")).unwrap();
    let ran = countersign(folder.path(), &["profile", "show"]);
    assert_eq!(ran.exit, 5);
    assert!(ran.stderr.contains("did you mean `max_token_ttl`?"), "{}", ran.stderr);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
}

#[test]
fn the_four_profiles_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let ran = countersign(folder.path(), &["profile", "list"]);
    assert_eq!(ran.stdout.lines().count(), 4, "{ran:?}");
}
