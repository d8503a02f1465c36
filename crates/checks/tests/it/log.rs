//! A reseller's token log, right and wrong in one way at a time.

use std::fmt::Write as _;
use std::sync::OnceLock;

use countersign_checks::log::judge::Judge;
use countersign_checks::log::report::Report;
use countersign_checks::log::rules::Expectation;
use countersign_model::declare::{Format, parse};
use proptest::prelude::*;

const MANIFEST: &str = include_str!("../../../../spec/vectors/manifest/reseller.toml");

/// A line of the log; `change` may replace members of it.
fn line(sequence: u64, change: &[(&str, serde_json::Value)]) -> String {
    let minute = sequence % 60;
    let mut line = serde_json::json!({
        "time": format!("2026-11-24T09:{minute:02}:00Z"),
        "client_id": "northwind-provisioner",
        "token_id": format!("t-{sequence}"),
        "actor": "nw-job0001",
        "order_id": format!("o-{sequence}"),
        "grant": "client_credentials",
        "scope": "tenants:create",
        "ip": "192.0.2.9",
        "issued_at": format!("2026-11-24T09:{minute:02}:00Z"),
        "expires_at": format!("2026-11-24T09:{minute:02}:59Z"),
        "seq": sequence,
        "result": "granted",
    });
    for (name, value) in change {
        line[*name] = value.clone();
    }
    line.to_string()
}

fn judged(lines: &[String]) -> Report {
    static EXPECTATION: OnceLock<Expectation> = OnceLock::new();
    let expectation = EXPECTATION.get_or_init(|| {
        let parsed = parse(MANIFEST, Format::Toml).unwrap();
        Expectation::compile(&parsed.manifest).unwrap()
    });
    let mut judge = Judge::new(expectation);
    for line in lines {
        judge.line(line.as_bytes());
    }
    judge.finish()
}

fn told(report: &Report) -> String {
    let mut told = format!(
        "attributable {}/{}, time bounded {}/{}, consistent {}/{}, gaps {}, unreadable {}",
        report.attributable.good,
        report.attributable.all,
        report.time_bounded.good,
        report.time_bounded.all,
        report.consistent.good,
        report.consistent.all,
        report.gaps.count + report.orphans.count,
        report.unreadable.count,
    );
    let shares = [&report.attributable, &report.time_bounded, &report.consistent];
    let used = [&report.used_in_time, &report.used_as_declared];
    let failing = shares.iter().chain(&used).flat_map(|it| &it.failing).chain(&report.gaps.first);
    let rest =
        report.orphans.first.iter().chain(&report.unreadable.first).chain(&report.clock.first);
    for reason in failing.chain(rest) {
        write!(told, "; {reason}").unwrap();
    }
    told
}

#[test]
fn each_wrong_line_fails_for_its_own_reason() {
    let wrong: [(&str, &str, serde_json::Value); 11] = [
        ("right", "result", "granted".into()),
        ("no actor", "actor", "".into()),
        ("no order", "order_id", serde_json::Value::Null),
        ("actor is a system", "actor", "system".into()),
        ("no end", "expires_at", serde_json::Value::Null),
        ("lives too long", "expires_at", "2026-11-24T10:01:00Z".into()),
        ("ends before it begins", "expires_at", "2026-11-24T08:00:00Z".into()),
        ("another scope", "scope", "tenants:create tenants:delete".into()),
        ("another grant", "grant", "password".into()),
        ("another network", "ip", "203.0.113.9".into()),
        ("at night", "time", "2026-11-24T23:00:00Z".into()),
    ];
    let lines: Vec<String> = wrong
        .iter()
        .map(|(name, member, value)| {
            let report = judged(&[line(1, &[]), line(2, &[(*member, value.clone())])]);
            format!("{name}: {}", told(&report))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    right: attributable 2/2, time bounded 2/2, consistent 2/2, gaps 0, unreadable 0
    no actor: attributable 1/2, time bounded 2/2, consistent 2/2, gaps 0, unreadable 0; line 2: no actor
    no order: attributable 1/2, time bounded 2/2, consistent 2/2, gaps 0, unreadable 0; line 2: no order_id
    actor is a system: attributable 1/2, time bounded 2/2, consistent 2/2, gaps 0, unreadable 0; line 2: actor does not match `^nw-[a-z0-9]{6,32}$`
    no end: attributable 2/2, time bounded 1/2, consistent 2/2, gaps 0, unreadable 0; line 2: token has no end
    lives too long: attributable 2/2, time bounded 1/2, consistent 2/2, gaps 0, unreadable 0; line 2: token lives 59m, declared are 5m at most
    ends before it begins: attributable 2/2, time bounded 1/2, consistent 2/2, gaps 0, unreadable 0; line 2: token ends before it begins
    another scope: attributable 2/2, time bounded 2/2, consistent 1/2, gaps 0, unreadable 0; line 2: scope `tenants:delete` is not declared
    another grant: attributable 2/2, time bounded 2/2, consistent 1/2, gaps 0, unreadable 0; line 2: grant `password`, declared is `client_credentials`
    another network: attributable 2/2, time bounded 2/2, consistent 1/2, gaps 0, unreadable 0; line 2: address outside the declared networks
    at night: attributable 2/2, time bounded 1/2, consistent 1/2, gaps 0, unreadable 0; line 2: used 50221s after its end; line 2: at 2026-11-24T23:00:00.000Z, outside the declared hours
    "#);
}

#[test]
fn a_missing_line_and_a_repeated_one_are_found() {
    let lines = [line(1, &[]), line(2, &[]), line(5, &[]), line(5, &[])];
    insta::assert_snapshot!(told(&judged(&lines)), @"attributable 4/4, time bounded 4/4, consistent 4/4, gaps 3, unreadable 0; line 4: number 5 comes twice; northwind-provisioner: numbers 3 to 4 are missing");
}

#[test]
fn a_line_that_cannot_be_read_is_counted_and_located() {
    let lines = [line(1, &[]), "{\"time\": ".to_owned(), line(2, &[])];
    let report = judged(&lines);
    assert_eq!(report.requests, 2);
    assert!(report.unreadable.first[0].starts_with("line 2: "), "{:?}", report.unreadable);
}

#[test]
fn a_burst_is_over_the_declared_rate() {
    let lines: Vec<String> =
        (1..=121).map(|it| line(it, &[("time", "2026-11-24T09:00:00Z".into())])).collect();
    let report = judged(&lines);
    assert_eq!((report.consistent.good, report.consistent.all), (120, 121));
}

/// Uses, revocations and requests of one token, in one order or another.
#[test]
fn a_token_is_used_while_it_lives() {
    let use_at = |minute: &str| {
        serde_json::json!({
            "time": format!("2026-11-24T09:{minute}:30Z"), "client_id": "northwind-provisioner",
            "token_id": "t-1", "method": "POST", "path": "/v1/tenants", "status": 201, "ip": "192.0.2.9",
        })
    };
    let with = |minute: &str, member: &str, value: serde_json::Value| {
        let mut line = use_at(minute);
        line[member] = value;
        line.to_string()
    };
    let revoked = serde_json::json!({
        "time": "2026-11-24T09:01:10Z", "client_id": "northwind-provisioner", "token_id": "t-1",
        "action": "token.revoked",
    });
    let (revoked, request) = (revoked.to_string(), line(1, &[]));
    let used = |minute: &str| use_at(minute).to_string();
    let later = line(9, &[("token_id", "t-9".into()), ("seq", 2.into())]);
    let table = [
        ("in time", vec![request.clone(), used("01")]),
        ("after its end", vec![request.clone(), used("02")]),
        ("after its end, told first", vec![used("02"), request.clone()]),
        ("after revocation", vec![request.clone(), revoked.clone(), used("01")]),
        ("after revocation, told first", vec![request.clone(), used("01"), revoked]),
        ("refused afterwards", vec![request.clone(), with("02", "status", 401.into())]),
        ("elsewhere", vec![request.clone(), with("01", "ip", "203.0.113.9".into())]),
        ("another path", vec![request.clone(), with("01", "path", "/v1/users/7".into())]),
        ("no token", vec![request.clone(), with("01", "token_id", "".into())]),
        ("no time", vec![request.clone(), with("01", "time", "".into())]),
        (
            "told again after revocation",
            vec![
                line(1, &[("revoked_at", "2026-11-24T09:01:10Z".into())]),
                line(2, &[("token_id", "t-1".into()), ("time", "2026-11-24T09:01:30Z".into())]),
            ],
        ),
        ("no request", vec![request, later, with("30", "token_id", "t-x".into())]),
    ];
    let lines: Vec<String> = table
        .iter()
        .map(|(name, lines)| {
            let report = judged(lines);
            let (time, declared) = (&report.used_in_time, &report.used_as_declared);
            format!(
                "{name}: {}/{}, {}/{}; {}",
                time.good,
                time.all,
                declared.good,
                declared.all,
                told(&report)
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    in time: 1/1, 1/1; attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0
    after its end: 0/1, 1/1; attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0; line 2: used 31s after its end
    after its end, told first: 0/1, 1/1; attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0; line 1: used 31s after its end; line 2: 90s earlier than line 1
    after revocation: 0/1, 1/1; attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0; line 3: used 20s after it was revoked
    after revocation, told first: 0/1, 1/1; attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0; line 2: used 20s after it was revoked; line 3: 20s earlier than line 2
    refused afterwards: 0/0, 0/0; attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0
    elsewhere: 1/1, 0/1; attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0; line 2: address outside the declared networks
    another path: 1/1, 0/1; attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0; line 2: POST /v1/users/7 is not declared
    no token: 0/1, 1/1; attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0; line 2: no token_id
    no time: 0/1, 0/1; attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0; line 2: no time; line 2: no time
    told again after revocation: 0/0, 0/0; attributable 2/2, time bounded 1/2, consistent 2/2, gaps 0, unreadable 0; line 2: used 20s after it was revoked; line 2: 30s before its token was issued
    no request: 1/1, 1/1; attributable 2/2, time bounded 2/2, consistent 2/2, gaps 1, unreadable 0; line 3: a token is used, and its request is nowhere in the log
    ");
}

#[test]
fn odd_lines_are_judged_and_say_why() {
    let odd: [(&str, &str, serde_json::Value); 7] = [
        ("told after its end", "time", "2026-11-24T09:07:00Z".into()),
        ("seconds", "expires_at", 1_795_511_110.into()),
        ("milliseconds", "time", 1_795_510_860_000_u64.into()),
        ("no time that can be read", "time", "24/Nov/2026".into()),
        ("no end that can be read", "expires_at", "soon".into()),
        ("a number that is none", "seq", "two".into()),
        ("the clock goes back", "time", "2026-11-24T08:58:00Z".into()),
    ];
    let lines: Vec<String> = odd
        .iter()
        .map(|(name, member, value)| {
            let report = judged(&[line(1, &[]), line(2, &[(*member, value.clone())])]);
            format!("{name}: {}", told(&report))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    told after its end: attributable 2/2, time bounded 1/2, consistent 2/2, gaps 0, unreadable 0; line 2: used 241s after its end
    seconds: attributable 2/2, time bounded 2/2, consistent 2/2, gaps 0, unreadable 0
    milliseconds: attributable 2/2, time bounded 2/2, consistent 2/2, gaps 0, unreadable 0; line 2: 1m before its token was issued
    no time that can be read: attributable 2/2, time bounded 2/2, consistent 1/2, gaps 0, unreadable 0; line 2: time cannot be read
    no end that can be read: attributable 2/2, time bounded 1/2, consistent 2/2, gaps 0, unreadable 0; line 2: expires_at cannot be read
    a number that is none: attributable 2/2, time bounded 2/2, consistent 2/2, gaps 0, unreadable 1; line 2: seq cannot be read
    the clock goes back: attributable 2/2, time bounded 2/2, consistent 2/2, gaps 0, unreadable 0; line 2: 3m earlier than line 1; line 2: 4m before its token was issued
    ");
}

/// What is asked of a log beyond its single lines.
#[test]
fn questions_about_one_token_and_one_client() {
    let browser = ("user_agent", "Mozilla/5.0 (X11)".into());
    let event = |id: &str| ("event_id", serde_json::Value::from(id));
    let day = |day: u64, more: &[(&str, serde_json::Value)]| {
        let at = |minute: u64| format!("2026-11-{day:02}T09:{minute:02}:00Z").into();
        let own = [("time", at(1)), ("issued_at", at(1)), ("expires_at", at(2))];
        line(day, &[&own, more].concat())
    };
    let agent = |it: &str| [("user_agent", serde_json::Value::from(it))];
    let told = |lines: &[String]| {
        let report = judged(lines);
        let notes = report.firsts.first.iter().chain(&report.unused.first);
        let notes: Vec<&str> =
            notes.map(String::as_str).chain(report.silences.iter().map(String::as_str)).collect();
        format!("{}; again {}; {}", told(&report), report.repeated, notes.join("; "))
    };
    let table = [
        ("a person with a browser", told(&[line(1, &[browser])])),
        ("delivered twice", told(&[line(1, &[event("e")]), line(1, &[event("e")])])),
        ("an id alone is no delivery", told(&[line(1, &[event("e")]), line(2, &[event("e")])])),
        (
            "a new program after a day",
            told(&[day(23, &agent("a")), day(24, &agent("a")), day(25, &agent("b"))]),
        ),
        ("a new program at once", told(&[line(1, &agent("a")), line(2, &agent("b"))])),
    ];
    let lines: Vec<String> = table.iter().map(|(name, it)| format!("{name}: {it}")).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    a person with a browser: attributable 1/1, time bounded 1/1, consistent 0/1, gaps 0, unreadable 0; line 1: a person used a machine's identity: the agent is a browser; again 0; 
    delivered twice: attributable 1/1, time bounded 1/1, consistent 1/1, gaps 0, unreadable 0; again 1; 
    an id alone is no delivery: attributable 2/2, time bounded 2/2, consistent 2/2, gaps 0, unreadable 0; again 0; northwind-provisioner: no line for 1m, from 2026-11-24T09:01:00.000Z to 2026-11-24T09:02:00.000Z
    a new program after a day: attributable 3/3, time bounded 3/3, consistent 3/3, gaps 0, unreadable 0; again 0; line 3: agent seen for the first time; northwind-provisioner: no line for 1d, from 2026-11-23T09:01:00.000Z to 2026-11-24T09:01:00.000Z
    a new program at once: attributable 2/2, time bounded 2/2, consistent 2/2, gaps 0, unreadable 0; again 0; northwind-provisioner: no line for 1m, from 2026-11-24T09:01:00.000Z to 2026-11-24T09:02:00.000Z
    ");
}

/// What a source never tells is judged neither way.
#[test]
fn what_a_source_never_tells_is_not_counted() {
    let keycloak = serde_json::json!({
        "id": "e-1", "time": 1_795_510_860_000_u64, "type": "CLIENT_LOGIN", "realmId": "r",
        "clientId": "northwind-provisioner", "ipAddress": "192.0.2.9",
        "details": {"token_id": "t-1", "grant_type": "client_credentials", "scope": "tenants:create",
            "actor": "nw-job0001", "order_id": "o-1"},
    });
    let report = judged(&[keycloak.to_string()]);
    insta::assert_snapshot!(told(&report), @"attributable 1/1, time bounded 0/0, consistent 1/1, gaps 0, unreadable 0");
    assert_eq!((report.time_bounded.untold, report.requests), (1, 1));
    insta::assert_json_snapshot!(report.untold, @r#"
    {
      "keycloak-events": {
        "an event does not tell how long its token lives": 1
      }
    }
    "#);
}

proptest! {
    /// Any one changed line never makes a share larger than its whole, and the rest stays right.
    #[test]
    fn shares_never_exceed_their_whole(member in "[a-z_]{2,10}", value in ".{0,20}") {
        let report = judged(&[line(1, &[]), line(2, &[(&member, value.into())])]);
        for share in [&report.attributable, &report.time_bounded, &report.consistent] {
            prop_assert!(share.good <= share.all && 1 <= share.good);
        }
    }
}
