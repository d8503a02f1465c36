//! The table of exits: each code by a real run against a real stage.

use std::collections::BTreeMap;

use countersign_ledger::VerifierKey;
use countersign_server::keys::Keys;

use crate::town::{Town, signal, until};

/// Code, word, and what is run to see it.
const TABLE: [(i32, &str, &str); 11] = [
    (0, "yes", "status of everything"),
    (1, "broken", "a second server on the same port"),
    (2, "usage", "an integration that nobody submitted"),
    (3, "no", "business that nobody certified"),
    (4, "who", "an auditor submits"),
    (5, "not judged", "a check of a partner that is down"),
    (6, "moved", "a plan that is not the newest"),
    (7, "integrity", "a log with a changed byte"),
    (8, "pending", "a waiver that waits for another person"),
    (9, "unreachable", "a server that is not there"),
    (130, "interrupted", "a watched status, then Ctrl-C"),
];

#[test]
fn each_exit_is_produced_by_a_real_run() {
    let town = Town::start("5s");
    let manifest = town.path("manifests/acme-helpdesk.toml");
    let manifest = manifest.to_str().unwrap();
    town.must(0, "olga", &["submit", manifest]);
    let config = town.path("server.toml");
    let log = town.path("log");
    let log = log.to_str().unwrap();
    let mut seen = BTreeMap::new();
    let mut see = |name: &'static str, exit: i32| {
        assert!(seen.insert(name, exit).is_none(), "{name} twice");
    };
    see("status of everything", town.run("paul", &["status"]).exit);
    let second = ["server", "run", "--config", config.to_str().unwrap()];
    see("a second server on the same port", town.run("paul", &second).exit);
    see("an integration that nobody submitted", town.run("paul", &["status", "nobody"]).exit);
    see("business that nobody certified", town.sandbox(&["business", "acme-helpdesk"]).exit);
    see("an auditor submits", town.run("paul", &["submit", manifest]).exit);
    let before = town.must(0, "paul", &["doctor"]);
    assert_eq!(town.sandbox(&["set", "acme-helpdesk", "down"]).exit, 0);
    let down = town.run("olga", &["check", "acme-helpdesk", "--json"]);
    see("a check of a partner that is down", down.exit);
    let after = town.must(0, "paul", &["doctor"]);
    let size = |it: &serde_json::Value| it["questions"][2]["said"].to_string();
    let entries = |it: &str| it.split(", ").nth(1).map(str::to_owned);
    assert_eq!(entries(&size(&before)), entries(&size(&after)), "nothing is written");
    let digest = format!("sha256:{}", "0".repeat(64));
    let apply = ["certify", "--apply", "pln_00000000000000000000000000", "--digest", &digest];
    see("a plan that is not the newest", town.run("olga", &apply).exit);
    see("a log with a changed byte", changed_log(&town, log));
    let waiver = ["waiver", "request", "acme-helpdesk", "CTS-WHK-01", "--until", "1d", "-r", "x"];
    see("a waiver that waits for another person", town.run("olga", &waiver).exit);
    let nowhere = ["status", "--server", "http://127.0.0.1:1", "--token-file", "stage/tokens/paul"];
    see("a server that is not there", crate::run::countersign(&town.root(), &nowhere).exit);
    see("a watched status, then Ctrl-C", interrupted(&town));
    for (code, word, what) in TABLE {
        assert_eq!(seen.get(what), Some(&code), "{word}: {what}");
    }
    assert_eq!(seen.len(), TABLE.len());
}

/// The reference is held by a test against the enum, so it has every exit.
#[test]
fn the_table_is_the_whole_table() {
    let reference = include_str!("../../../../docs/cli.md");
    let documented: Vec<(i32, &str)> = reference
        .lines()
        .filter_map(|it| {
            let mut cells = it.strip_prefix("| ")?.split(" | ");
            Some((cells.next()?.parse().ok()?, cells.next()?))
        })
        .collect();
    let table: Vec<(i32, &str)> = TABLE.iter().map(|it| (it.0, it.1)).collect();
    assert_eq!(documented, table);
}

/// Exports the log, verifies it, changes a byte, and verifies it again.
fn changed_log(town: &Town, folder: &str) -> i32 {
    town.must(0, "paul", &["log", "export", "--out", folder]);
    let keys = Keys::open(&town.path("data/keys")).unwrap();
    let vkey = VerifierKey::log("countersign.example", keys.log.public()).unwrap().to_string();
    let verify = ["log", "verify", folder, "--vkey", &vkey];
    town.must(0, "paul", &verify);
    let path = std::path::Path::new(folder).join("checkpoint");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // The root hash, which the signature covers.
    let root = if lines[2].starts_with('A') { "B" } else { "A" };
    lines[2].replace_range(..1, root);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    town.run("paul", &verify).exit
}

/// Watches until something was shown, then presses Ctrl-C.
fn interrupted(town: &Town) -> i32 {
    let mut watching = town.begin("paul", "watching", &["status", "--watch"]);
    until("a first status", 30, || town.said("watching", "out").contains("acme-helpdesk"));
    signal(&watching, "INT");
    let exit = watching.wait().unwrap().code().unwrap();
    assert!(town.said("watching", "err").contains("nothing was changed"), "{town:?}");
    exit
}
