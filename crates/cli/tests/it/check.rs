//! A certification is rehearsed, without a server.

use crate::run::countersign;

const SAAS: &str = include_str!("../../../../spec/vectors/manifest/saas.toml");

fn checked(text: &str) -> (i32, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("countersign.toml"), text).unwrap();
    let ran = countersign(folder.path(), &["check", "--json"]);
    (ran.exit, serde_json::from_str(&ran.stdout).unwrap_or_default())
}

#[test]
fn a_right_manifest_is_not_judged_as_a_whole_without_a_server() {
    let (exit, answer) = checked(SAAS);
    assert_eq!(exit, 5, "{answer}");
    assert_eq!(answer["findings"], serde_json::json!([]));
    assert_eq!(answer["summary"]["total"], 60);
    assert!(answer["unseen"].as_array().unwrap().contains(&"CTS-WHK-01".into()), "{answer}");
}

#[test]
fn each_wrong_manifest_fails_for_its_own_reason() {
    let table = [
        ("lena.fischer@", "soc-team@", "names_owners_and_live_contact"),
        ("[\"subscription-disable\"]", "[]", "names_a_way_to_revoke_every_path"),
        ("rotate = true, max_age", "rotate = false, max_age", "bounds_refresh_tokens"),
        ("max_age = \"180d\"", "max_age = \"399d\"", "bounds_age_of_evidence"),
        ("retention = \"400d\"", "retention = \"100d\"", "keeps_logs_long_enough"),
    ];
    for (from, to, check) in table {
        let (exit, answer) = checked(&SAAS.replace(from, to));
        let names: Vec<&str> = answer["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|it| it["check"].as_str())
            .collect();
        assert_eq!((exit, names), (3, vec![check]), "{from} -> {to}");
    }
}

#[test]
fn an_edit_mends_what_asks_for_too_much_and_can_be_undone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.toml");
    let wrong = SAAS.replace("max_age = \"180d\"", "max_age = \"399d\"");
    std::fs::write(&path, &wrong).unwrap();
    assert_eq!(countersign(folder.path(), &["check", "--json"]).exit, 3);
    let fixed = countersign(folder.path(), &["check", "--fix", "--json"]);
    assert_eq!(fixed.exit, 5, "the rest needs a server: {fixed:?}");
    assert!(fixed.stderr.contains("mended[bounds_age_of_evidence]"), "{fixed:?}");
    assert!(fixed.stderr.contains("undo: mv countersign.toml.before"), "{fixed:?}");
    let kept = |it: &str| it.lines().filter(|it| it.trim_start().starts_with('#')).count();
    let edited = std::fs::read_to_string(&path).unwrap();
    assert_eq!(kept(&edited), kept(&wrong), "comments stay");
    let before = std::fs::read_to_string(folder.path().join("countersign.toml.before")).unwrap();
    assert_eq!(before, wrong);
    let again = countersign(folder.path(), &["check", "--fix"]);
    assert!(again.stderr.contains("nothing here can be mended by an edit"), "{again:?}");
}
