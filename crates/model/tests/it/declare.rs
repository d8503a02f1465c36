//! Reading whole manifests: the four of the mission, broken ones, and any text at all.

use std::fs;
use std::path::PathBuf;

use countersign_model::declare::digest::{SETS, canonical_bytes, digest};
use countersign_model::declare::schema::manifest_schema;
use countersign_model::declare::{Format, Parsed, diagnostic::render_all, diff::diff, parse, read};
use proptest::prelude::*;
use serde_json::Value;

const NAMES: [&str; 4] = ["marketplace", "payroll", "reseller", "saas"];

fn spec(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(spec(&format!("vectors/manifest/{name}.toml"))).unwrap()
}

fn good(name: &str) -> Parsed {
    read(&text(name), Format::Toml).unwrap_or_else(|it| panic!("{}", render_all(&it, name)))
}

fn vectors() -> Value {
    let digests = NAMES.iter().map(|name| {
        let canonical = canonical_bytes(&good(name).value).unwrap();
        let entry = serde_json::json!({
            "digest": good(name).digest.to_string(),
            "canonical": String::from_utf8(canonical).unwrap(),
        });
        ((*name).to_owned(), entry)
    });
    Value::Object(digests.collect())
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

#[test]
#[ignore = "writes the schema and the vectors anew"]
fn write_the_files_of_the_specification() {
    fs::write(spec("manifest-1.schema.json"), pretty(manifest_schema())).unwrap();
    for name in NAMES {
        fs::write(spec(&format!("vectors/manifest/{name}.json")), pretty(&good(name).value))
            .unwrap();
    }
    fs::write(spec("vectors/manifest/digests.json"), pretty(&vectors())).unwrap();
}

#[test]
fn the_schema_is_current() {
    let committed = fs::read_to_string(spec("manifest-1.schema.json")).unwrap();
    assert!(committed == pretty(manifest_schema()), "run the ignored test that writes it anew");
}

#[test]
fn the_vectors_hold() {
    let committed = fs::read_to_string(spec("vectors/manifest/digests.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&committed).unwrap(), vectors());
    for name in NAMES {
        let json = fs::read_to_string(spec(&format!("vectors/manifest/{name}.json"))).unwrap();
        let json = read(&json, Format::Json).unwrap();
        assert_eq!(json.digest, good(name).digest, "{name} in both formats");
        assert_eq!(json.manifest, good(name).manifest);
    }
}

/// One change of a good manifest, and the code that refuses it; `true`: the schema does, too.
const BROKEN: [(&str, &str, &str, &str, bool); 22] = [
    ("saas", "max_token_ttl = \"10m\"", "max_token_tll = \"10m\"", "PRE-003", true),
    ("saas", "tier    = \"elevated\"", "tier = \"high\"", "PRE-005", true),
    ("saas", "manifest    = 1", "manifest = 2", "PRE-005", true),
    ("saas", "id      = \"acme-helpdesk\"", "id = \"ACME\"", "PRE-005", true),
    ("saas", "retention = \"400d\"", "retention = 400", "PRE-005", true),
    ("saas", "retention = \"400d\"", "retention = \"400 days\"", "PRE-005", true),
    ("saas", "holder        = \"partner\"", "", "PRE-004", true),
    ("saas", "rate_per_second = 20", "rate_per_second = 2.5", "PRE-006", true),
    ("saas", "retention = \"400d\"", "retention = 2027-01-01", "PRE-006", true),
    ("saas", "url  = \"https://app", "url  = \"http://app", "PRE-005", true),
    ("reseller", "attributable      = \"100%\"", "attributable = \"101%\"", "PRE-005", true),
    ("saas", "id   = \"cb:oauth\"", "id = \"hook:ticket-events\"", "PRE-007", false),
    ("saas", "\"subscription-disable\"", "\"subscription-disabled\"", "PRE-010", false),
    ("payroll", "identity:sa:payrun-scim", "identity:sa:payrun", "PRE-010", false),
    ("saas", "\"scope-added\", ", "\"scope-add\", ", "PRE-010", false),
    ("saas", "retention = \"400d\"", "retention = \"30d\"", "PRE-011", false),
    ("reseller", "window            = \"14d\"", "window = \"1h\"", "PRE-011", false),
    ("marketplace", "max_stale    = \"5m\"", "", "PRE-012", false),
    ("reseller", "192.0.2.0/28", "127.0.0.0/8", "PRE-013", false),
    ("reseller", "Mon-Fri", "Mon-Fry", "PRE-005", false),
    ("saas", "GET /v1/users/{id}", "GET v1/users", "PRE-005", false),
    ("saas", "for  = \"CTS-LOG-05\"", "for = \"LOG\"", "PRE-005", false),
];

#[test]
fn broken_manifests_are_refused_with_their_code_and_place() {
    let validator = jsonschema::validator_for(manifest_schema()).unwrap();
    for name in NAMES {
        assert!(validator.is_valid(&good(name).value), "{name}");
    }
    for (name, from, to, code, by_schema) in BROKEN {
        let whole = text(name);
        assert!(whole.contains(from), "{name} has no {from:?}");
        let broken = whole.replacen(from, to, 1);
        let refused = read(&broken, Format::Toml).unwrap_err();
        assert!(refused.iter().any(|it| it.code.code() == code), "{to:?}: {refused:?}");
        assert!(refused.iter().all(|it| it.place.is_some()), "{refused:?}");
        let value = toml::from_str::<toml::Value>(&broken).unwrap();
        let value = serde_json::to_value(value).unwrap();
        assert_eq!(!validator.is_valid(&value), by_schema, "{to:?} against the schema");
    }
}

#[test]
fn every_unknown_key_is_told_with_what_was_meant() {
    let broken = text("saas")
        .replacen("rotate_every  = \"90d\"", "rotation_every = \"90d\"", 1)
        .replacen("[owners] ", "[owner] ", 1);
    insta::assert_snapshot!(render_all(&read(&broken, Format::Toml).unwrap_err(), "countersign.toml"), @r#"
    not judged[PRE-004]: the manifest lacks `owners`
     --> countersign.toml:1:1
      |
    1 | #:schema https://countersign.example/schema/manifest-1.json
      | ^
      |
      = fix:      add `owners`: People on the platform's side who answer for it, never a mailing list.

    not judged[PRE-003]: unknown key `owner`
      --> countersign.toml:18:2
       |
    18 | [owner]                             # people on your side, never a mailing list
       |  ^^^^^ did you mean `owners`?

    not judged[PRE-004]: `[[identity]]` lacks `rotate_every`
      --> countersign.toml:23:1
       |
    23 | [[identity]]
       | ^^^^^^^^^^^^
       |
       = fix:      add `rotate_every`: How often the credential is replaced.

    not judged[PRE-003]: unknown key `rotation_every` in `[[identity]]`
      --> countersign.toml:32:1
       |
    32 | rotation_every = "90d"
       | ^^^^^^^^^^^^^^ did you mean `rotate_every`?

       = note:     no check ran. This is about set-up, not about the security of your integration.
    "#);
}

#[test]
fn own_keys_are_hashed_and_otherwise_ignored() {
    let with = text("saas").replace("[partner]", "[partner]\nx-crm = [2, 1]")
        + "\n[x-team]\nname = \"b\"\n";
    let parsed = read(&with, Format::Toml).unwrap();
    assert_eq!(parsed.manifest, good("saas").manifest);
    assert_ne!(parsed.digest, good("saas").digest);
    let swapped = read(&with.replace("[2, 1]", "[1, 2]"), Format::Toml).unwrap();
    assert_ne!(parsed.digest, swapped.digest, "the order of an own list may mean something");
}

#[test]
fn hostile_texts_are_refused_quickly() {
    let nested =
        |open: &str, close: &str| format!("a = {}{}", open.repeat(50_000), close.repeat(50_000));
    for hostile in [
        nested("[", "]"),
        nested("{a=", "}"),
        format!("[{}a]", "a.".repeat(100_000)),
        (0..20_000).map(|it| format!("k{it} = 1")).collect::<Vec<_>>().join("\n"),
        "[[identity]]\n".repeat(15_000),
        "[[identity]]\nid = \"a:b\"\n".repeat(1_900),
        format!("x = \"{}", "\\u00e9".repeat(40_000)),
        "x".repeat(300_000),
    ] {
        assert!(read(&hostile, Format::Toml).is_err());
        assert!(read(&hostile, Format::Json).is_err());
    }
    assert!(read(&"[".repeat(200_000), Format::Json).is_err());
    assert!(read(&"{\"a\":".repeat(40_000), Format::Json).is_err());
}

/// The same manifest in another order: keys by the map's own, lists turned by `by`.
fn turned(value: &Value, key: &str, by: usize) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, it)| (key.clone(), turned(it, key, by)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(|it| turned(it, key, by)).collect();
            if !items.is_empty() {
                let middle = by % items.len();
                items.rotate_left(middle);
                if SETS.contains(&key) {
                    items.push(items[0].clone());
                }
            }
            items.into()
        }
        other => other.clone(),
    }
}

/// The pointers of all texts and numbers.
fn leaves(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, it)| leaves(it, format!("{at}/{key}"), found));
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, it)| leaves(it, format!("{at}/{index}"), found)),
        _ => found.push(at),
    }
}

/// Pieces of manifests, so that arbitrary texts get far.
fn pieces() -> impl Strategy<Value = String> {
    let lines: Vec<String> = NAMES
        .iter()
        .flat_map(|it| text(it).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let line = prop_oneof![6 => prop::sample::select(lines), 1 => "\\PC{0,40}", 1 => "[\\[\\]{}=\".,# a\\\\-]{0,20}"];
    prop::collection::vec(line, 0..60).prop_map(|it| it.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(any in any::<String>(), pieces in pieces()) {
        for text in [&any, &pieces] {
            for format in [Format::Toml, Format::Json] {
                if let Err(refused) = parse(text, format) {
                    prop_assert!(!refused.is_empty());
                    let _shown = render_all(&refused, "countersign.toml");
                }
            }
        }
    }

    #[test]
    fn a_changed_byte_never_panics(name in prop::sample::select(&NAMES[..]), at in any::<prop::sample::Index>(), with in any::<char>()) {
        let whole: Vec<char> = text(name).chars().collect();
        let at = at.index(whole.len());
        let changed: String = whole[..at].iter().chain(&[with]).chain(&whole[at + 1..]).collect();
        if let Err(refused) = read(&changed, Format::Toml) {
            let _shown = render_all(&refused, name);
        }
    }

    #[test]
    fn order_comments_and_format_never_matter(name in prop::sample::select(&NAMES[..]), by in 0_usize..7) {
        let own = good(name);
        let other = turned(&own.value, "", by);
        let as_toml = toml::to_string(&other).unwrap().replace('\n', "   # a comment\n\n");
        let as_toml = as_toml.lines().map(|it| if it.trim_start().starts_with('#') { "" } else { it }).collect::<Vec<_>>().join("\n");
        let again = read(&as_toml, Format::Toml);
        prop_assert!(again.is_ok(), "{:?}\n{as_toml}", again);
        prop_assert_eq!(again.unwrap().digest, own.digest);
        prop_assert_eq!(read(&pretty(&other), Format::Json).unwrap().digest, own.digest);
        prop_assert!(diff(&own.value, &other).is_empty());
    }

    #[test]
    fn a_changed_value_changes_the_digest_and_is_told(name in prop::sample::select(&NAMES[..]), at in any::<prop::sample::Index>()) {
        let own = good(name);
        let mut found = Vec::new();
        leaves(&own.value, String::new(), &mut found);
        let mut changed = own.value.clone();
        let leaf = changed.pointer_mut(&found[at.index(found.len())]).unwrap();
        *leaf = match &*leaf {
            Value::String(text) => Value::from(format!("{text}x")),
            Value::Bool(it) => Value::from(!it),
            number => Value::from(number.as_i64().unwrap() + 1),
        };
        prop_assert_ne!(digest(&changed).unwrap(), own.digest);
        prop_assert!(!diff(&own.value, &changed).is_empty());
        prop_assert!(!diff(&changed, &own.value).is_empty());
    }

    #[test]
    fn any_two_manifests_differ_in_their_digests_or_in_nothing(one in prop::sample::select(&NAMES[..]), other in prop::sample::select(&NAMES[..])) {
        prop_assert_eq!(diff(&good(one).value, &good(other).value).is_empty(), one == other);
    }
}
