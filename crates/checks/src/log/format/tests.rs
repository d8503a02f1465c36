//! What every format has to stand: whole records, odd ones, and any bytes.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;

use super::super::record::{DEPTH_MAX, LINE_BYTES_MAX, LineError, Record, Told};
use super::formats;

/// What a person wants to see of a record, in one line.
pub(super) fn shown(line: &str) -> String {
    let record = match Record::parse(line.as_bytes()) {
        Ok(it) => it,
        Err(error) => return format!("error: {error}"),
    };
    let mut shown = format!("{} {:?}", record.format.unwrap().name, record.told());
    if !record.granted {
        shown.push_str(" refused");
    }
    let moments = [
        ("time", record.time),
        ("issued", record.issued_at),
        ("expires", record.expires_at),
        ("revoked", record.revoked_at),
    ];
    for (name, moment) in moments {
        if let Some(it) = moment {
            write!(shown, " {name}={it}").unwrap();
        }
    }
    let texts = [
        ("event", &record.event_id),
        ("client", &record.client_id),
        ("token_id", &record.token_id),
        ("hash", &record.token_hash),
        ("session", &record.session_id),
        ("actor", &record.actor),
        ("subject", &record.subject),
        ("key", &record.key_id),
        ("auth", &record.auth),
        ("grant", &record.grant),
        ("agent", &record.agent),
        ("action", &record.action),
        ("resource", &record.resource),
    ];
    for (name, text) in texts {
        if let Some(it) = text {
            write!(shown, " {name}={it:?}").unwrap();
        }
    }
    for (name, words) in [("scope", &record.scopes), ("audience", &record.audience)] {
        if !words.is_empty() {
            write!(shown, " {name}={}", words.join(",")).unwrap();
        }
    }
    if let Some(it) = record.ip {
        write!(shown, " ip={it}").unwrap();
    }
    if let Some(it) = record.sequence {
        write!(shown, " seq={it}").unwrap();
    }
    for (name, it) in record.fields.iter() {
        write!(shown, " {name}:{it:?}").unwrap();
    }
    for it in &record.unreadable {
        write!(shown, " unreadable:{it}").unwrap();
    }
    shown
}

/// A record of this format with one member replaced.
pub(super) fn with(line: &str, path: &str, value: Value) -> String {
    let mut line: Value = serde_json::from_str(line).unwrap();
    *line.pointer_mut(path).unwrap_or_else(|| panic!("no {path}")) = value;
    line.to_string()
}

/// One whole record of each format.
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("json-lines", super::own::SAMPLE),
    ("keycloak-events", super::keycloak::SAMPLE),
    ("ocsf", super::ocsf::SAMPLE),
    ("okta-system-log", super::okta::SAMPLE),
    ("entra-service-principal-sign-in", super::entra::SAMPLES[0]),
    ("entra-graph-activity", super::entra::SAMPLES[1]),
    ("aws-cloudtrail", super::cloudtrail::SAMPLE),
    ("google-cloud-audit", super::google::SAMPLE),
    ("github-audit", super::github::SAMPLE),
    ("nginx-access", super::access::SAMPLES[0]),
    ("envoy-access", super::access::SAMPLES[1]),
];

#[test]
fn a_sample_of_each_format_is_known_by_its_content() {
    let known: Vec<&str> = formats().map(|it| it.name).collect();
    for (name, line) in SAMPLES {
        let record = Record::parse(line.as_bytes()).unwrap();
        assert_eq!(record.format.unwrap().name, *name);
        assert!(record.time.is_some() && record.client_id.is_some(), "{name}");
        assert_eq!(record.unreadable.len(), 0, "{name}: {:?}", record.unreadable);
        // What a source cannot give is nowhere in its record.
        for (field, _) in record.format.unwrap().cannot {
            assert!(!record.has(field), "{name} gives {field}");
        }
        assert_eq!(record.clone().into_owned(), record);
    }
    for name in known {
        assert!(SAMPLES.iter().any(|it| it.0 == name), "{name} has no sample");
    }
}

#[test]
fn no_member_is_needed_to_read_a_line() {
    for (name, line) in SAMPLES {
        let whole: Value = serde_json::from_str(line).unwrap();
        for member in whole.as_object().unwrap().keys() {
            let mut without = whole.clone();
            without.as_object_mut().unwrap().remove(member);
            assert!(Record::parse(without.to_string().as_bytes()).is_ok(), "{name} no {member}");
            for odd in [Value::Null, 7.into(), "".into(), "null".into(), vec![Value::Null].into()] {
                let mut odder = whole.clone();
                odder[member] = odd;
                let text = odder.to_string();
                assert!(Record::parse(text.as_bytes()).is_ok(), "{name} {member}: {text}");
            }
        }
    }
}

#[test]
fn long_and_deep_lines_are_read_or_refused_with_the_reason() {
    for (name, line) in SAMPLES {
        let body = line.trim_end().strip_suffix('}').unwrap();
        let fill = LINE_BYTES_MAX - body.len() - r#","filler":""}"#.len();
        let full = format!(r#"{body},"filler":"{}"}}"#, "x".repeat(fill));
        assert_eq!(full.len(), LINE_BYTES_MAX);
        let record = Record::parse(full.as_bytes()).unwrap();
        assert_eq!(record.format.unwrap().name, *name);
        assert_eq!(Record::parse(format!("{full} ").as_bytes()), Err(LineError::TooLong));
        let deep = |levels: usize| {
            format!(r#"{body},"deep":{}{}}}"#, "[".repeat(levels), "]".repeat(levels))
        };
        assert!(Record::parse(deep(DEPTH_MAX - 1).as_bytes()).is_ok(), "{name}");
        assert_eq!(Record::parse(deep(DEPTH_MAX).as_bytes()), Err(LineError::TooDeep), "{name}");
        let brackets = format!(r#"{body},"text":"{}"}}"#, "[".repeat(10_000));
        assert!(Record::parse(brackets.as_bytes()).is_ok(), "{name}: brackets in a text nest not");
    }
    assert_eq!(Record::parse("[".repeat(100_000).as_bytes()), Err(LineError::TooDeep));
    assert_eq!(Record::parse(b"{\"a\":\"\xff\"}"), Err(LineError::NotText(7)));
    for line in ["", "[]", "{", "null", "\u{feff}{}", "{\"time\":1e999}", "{} {}", "plain text"] {
        assert!(Record::parse(line.as_bytes()).is_err(), "parsing {line:?}");
    }
}

#[test]
fn a_line_of_our_own_becomes_a_record() {
    let odd = r#"{"time":"yesterday","ip":"here","seq":-1,"scope":["x"]}"#;
    let twice = r#"{"time":1795489511,"time":"soon","scope":"a b","status":"200"}"#;
    let seen: Vec<String> = [super::own::SAMPLE, odd, twice].into_iter().map(shown).collect();
    insta::assert_snapshot!(seen.join("\n"), @r#"
    json-lines Request refused time=2026-11-24T03:05:11.000Z expires=2026-11-24T03:10:11.000Z client="a" token_id="t1" scope=x,y ip=192.0.2.1 seq=7 order_id:"o-1"
    json-lines Request scope=x unreadable:ip unreadable:seq unreadable:time
    json-lines Request scope=a,b status:"200" unreadable:time
    "#);
}

#[test]
fn a_line_tells_of_a_request_a_use_or_an_end() {
    let table = [
        (r#"{"grant":"client_credentials"}"#, Told::Request),
        (r#"{"action":"token","resource":"/oauth/token"}"#, Told::Request),
        (r#"{"method":"POST","path":"/oauth/token"}"#, Told::Request),
        (r#"{"method":"GET","path":"/v1/users/7","status":200}"#, Told::Use),
        (r#"{"action":"ticket.create","resource":"t-1"}"#, Told::Use),
        (r#"{"action":"token.revoked","token_id":"t"}"#, Told::Revocation),
        (r#"{"event":"revoke","token_id":"t"}"#, Told::Revocation),
        (r#"{"type":"token_used","token_id":"t"}"#, Told::Use),
        (r#"{"type":"access","path":"/v1/users/7"}"#, Told::Use),
        (r#"{"path":"/v1/users/7","status":200}"#, Told::Use),
        (r#"{"event":"token.issued","token_id":"t"}"#, Told::Request),
    ];
    for (line, told) in table {
        assert_eq!(Record::parse(line.as_bytes()).unwrap().told(), told, "{line}");
    }
    let refused = Record::parse(br#"{"method":"GET","path":"/x","status":403}"#).unwrap();
    assert!(!refused.granted);
}

proptest! {
    #[test]
    fn any_bytes_give_a_record_or_a_reason(line in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ignored = Record::parse(&line);
    }
}

/// The table of `docs/logs.md`.
fn table() -> String {
    let row = |it: &super::About| {
        let cannot = it.cannot.iter().map(|(field, why)| format!("`{field}`: {why}"));
        let cannot: Vec<String> = cannot.collect();
        format!("| `{}` | {}. Source: {} | {} |\n", it.name, it.title, it.source, cannot.join("; "))
    };
    formats().map(row).collect()
}

#[test]
fn the_page_tells_of_every_format() {
    let page = include_str!("../../../../../docs/logs.md");
    for row in table().lines() {
        assert!(
            page.contains(row),
            "docs/logs.md has no row\n{row}\nthe whole table is\n{}",
            table()
        );
    }
}
