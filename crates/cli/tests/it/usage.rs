//! Words, help and exits that need no server.

use crate::run::countersign;

#[test]
fn alone_it_names_the_next_commands() {
    let folder = tempfile::tempdir().unwrap();
    let ran = countersign(folder.path(), &[]);
    assert_eq!(ran.exit, 0);
    assert!(ran.stdout.contains("countersign --help"), "{}", ran.stdout);
}

#[test]
fn exits_say_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("broken.toml"), "manifest = 1\nprofil = \"x\"\n").unwrap();
    std::fs::write(folder.path().join("token"), "t\n").unwrap();
    let table: [(&str, &[&str], i32); 7] = [
        ("help", &["--help"], 0),
        ("no such flag", &["--no-such-flag"], 2),
        ("no such command", &["dance"], 2),
        ("no server named", &["status"], 4),
        (
            "server not there",
            &["status", "--server", "http://127.0.0.1:1", "--token-file", "token"],
            9,
        ),
        (
            "manifest not a manifest",
            &["log", "check", "broken.toml", "--manifest", "broken.toml"],
            5,
        ),
        ("forgiven", &["status", "--exit-zero-on", "who"], 0),
    ];
    for (name, arguments, exit) in table {
        let ran = countersign(folder.path(), arguments);
        assert_eq!(ran.exit, exit, "{name}: {ran:?}");
        assert_eq!(exit == 0, ran.stderr.is_empty() || name == "forgiven", "{name}: {ran:?}");
    }
}

#[test]
fn a_reason_code_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let ran = countersign(folder.path(), &["explain", "outside-scope", "--json"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(answer["kind"], "reason");
    assert_eq!(countersign(folder.path(), &["explain", "nonsense"]).exit, 2);
}

#[test]
fn a_check_is_explained_as_on_its_page() {
    let page = include_str!("../../../../docs/checks/refuses_stale_timestamp.md");
    let folder = tempfile::tempdir().unwrap();
    for word in ["refuses_stale_timestamp", "WHK-04"] {
        let ran = countersign(folder.path(), &["explain", word, "--json"]);
        assert_eq!(ran.exit, 0, "{ran:?}");
        let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let rows = answer["rows"].as_array().unwrap();
        let names: Vec<&str> = rows.iter().map(|it| it["name"].as_str().unwrap()).collect();
        let order = [
            "question",
            "case",
            "controls",
            "why it matters",
            "what is sent",
            "what passes",
            "what to do",
            "source",
        ];
        assert_eq!(names, order);
        let mut rest = page;
        for row in rows {
            let (_, after) = rest.split_once(row["text"].as_str().unwrap()).expect("in this order");
            rest = after;
        }
        assert_eq!(rest.trim(), "", "the page says nothing else");
    }
}
