use super::{key, rules_of, told};
use crate::source::{RuleSet, Scanner};

fn scan(rules: &str, name: &str, text: &str) -> Vec<String> {
    let rules = RuleSet::from_gitleaks(rules).unwrap();
    rules_of(&Scanner::with_rules(key(), rules).scan_bytes(name, text.as_bytes()))
}

const ACME: &str = r#"
title = "acme"
[[rules]]
id = "acme-token"
description = "token of acme"
regex = '''(?i)\b(acme_[a-z0-9]{10})(?:['"\s]|$)'''
secretGroup = 1
entropy = 2.5
keywords = ["ACME_"]
tags = ["acme"]
[[rules.allowlists]]
description = "known"
condition = "AND"
regexTarget = "line"
regexes = ['''allowed-here''']
paths = ['''^docs/''']
[[rules.allowlists]]
stopwords = ["stopword"]
[[rules]]
id = "key-store"
description = "key store"
path = '''(?i)\.p12$'''
"#;

#[test]
fn a_gitleaks_file_works_as_written() {
    let found = vec!["acme-token".to_owned()];
    for (name, text, expected) in [
        ("a.txt", "x = ACME_a1b2c3d4e5", found.clone()),
        ("a.txt", "x = acme_aaaaaaaaaa", vec![]),
        ("a.txt", "x = acme_a1stopword", vec![]),
        ("a.txt", "x = acme_a1b2c3d4e5 # allowed-here", found.clone()),
        ("docs/a.md", "x = acme_a1b2c3d4e5 # allowed-here", vec![]),
        ("docs/a.md", "y\nx = acme_a1b2c3d4e5\n# allowed-here", found.clone()),
        ("store.P12", "\0\0", vec!["key-store".to_owned()]),
        ("a.txt", concat!("password", " = zJ7q9Lk2Wm4Xs8Vb"), vec![]),
    ] {
        assert_eq!(scan(ACME, name, text), expected, "in {name}: {text}");
    }
}

#[test]
fn a_file_may_stand_on_our_rules() {
    let text =
        format!("{ACME}\n[extend]\nuseDefault = true\ndisabledRules = [\"quoted-secret\"]\n");
    let secret = super::random(31, super::ALNUM, 20);
    assert_eq!(scan(&text, "a", &format!("password={secret}\n")), ["plain-secret"]);
    assert_eq!(scan(&text, "a", "acme_a1b2c3d4e5"), ["acme-token"]);
}

#[test]
fn an_allowlist_for_all_rules_is_named_where_it_hides_a_file() {
    let rules = format!("{ACME}\n[allowlist]\npaths = ['^vendor/']\n");
    let scanner = Scanner::with_rules(key(), RuleSet::from_gitleaks(&rules).unwrap());
    let report = scanner.scan_bytes("vendor/a.txt", b"acme_a1b2c3d4e5");
    assert_eq!((told(&report), report.is_complete()), (String::new(), false));
    insta::assert_snapshot!(super::left_out(&report), @"vendor/a.txt: path allowed by the rules");
}

#[test]
fn every_rule_that_cannot_be_used_is_named() {
    let rules = r#"
[[rules]]
id = "looks-ahead"
regex = '''a(?=b)'''
[[rules]]
id = "unicode"
regex = '''\p{L}+'''
[[rules]]
id = "nothing"
[[rules]]
regex = '''x'''
[[rules]]
id = "group"
regex = '''(x)'''
secretGroup = 2
required = [1]
[[rules]]
id = "fine"
regex = '''x'''
allowlist = { regexTarget = "word", regexes = ["a"] }
"#;
    let error = RuleSet::from_gitleaks(rules).unwrap_err();
    insta::assert_snapshot!(error.to_string().replace("; ", "\n"), @r"
    7 of its rules cannot be used: `looks-ahead`: pattern `a(?=b)`: look-around, including look-ahead and look-behind, is not supported
    `unicode`: pattern `\p{L}+`: `\p`: Unicode classes cannot be matched in bytes
    `nothing`: has neither `regex` nor `path`
    `rule 4`: needs an id of its own
    `group`: `required` is not supported
    `group`: `secretGroup` is beyond its 1 groups
    `fine`: regexTarget `word` is not `secret`, `match` or `line`
    ");
    assert!(RuleSet::from_gitleaks("rules = 1").is_err());
}

#[test]
fn our_own_rules_can_be_used_and_have_their_own_ids() {
    let rules = RuleSet::built_in().unwrap();
    assert!(50 < rules.ids().count());
}
