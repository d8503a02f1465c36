//! A reseller's token log, right and wrong in one way at a time.

use std::fmt::Write as _;
use std::sync::OnceLock;

use countersign_checks::log::rules::{Expectation, Judge, Report, missing};
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
        report.gaps.len(),
        report.unreadable.len(),
    );
    let shares = [&report.attributable, &report.time_bounded, &report.consistent];
    let failing = shares.iter().flat_map(|it| &it.failing).chain(&report.gaps);
    for reason in failing.chain(&report.unreadable) {
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
    at night: attributable 2/2, time bounded 2/2, consistent 1/2, gaps 0, unreadable 0; line 2: at 2026-11-24T23:00:00.000Z, outside the declared hours
    "#);
}

#[test]
fn a_missing_line_and_a_repeated_one_are_found() {
    let lines = [line(1, &[]), line(2, &[]), line(5, &[]), line(5, &[])];
    insta::assert_snapshot!(told(&judged(&lines)), @r#"
    attributable 4/4, time bounded 4/4, consistent 4/4, gaps 2, unreadable 0; line 4: number 5 comes twice; northwind-provisioner: numbers 3 to 4 are missing
    "#);
}

#[test]
fn a_line_that_cannot_be_read_is_counted_and_located() {
    let lines = [line(1, &[]), "{\"time\": ".to_owned(), line(2, &[])];
    let report = judged(&lines);
    assert_eq!(report.requests, 2);
    assert!(report.unreadable[0].starts_with("line 2: "), "{:?}", report.unreadable);
}

#[test]
fn a_burst_is_over_the_declared_rate() {
    let lines: Vec<String> =
        (1..=121).map(|it| line(it, &[("time", "2026-11-24T09:00:00Z".into())])).collect();
    let report = judged(&lines);
    assert_eq!((report.consistent.good, report.consistent.all), (120, 121));
}

#[test]
fn what_the_platform_issued_and_the_partner_did_not_log_is_missing() {
    let issued = judged(&[line(1, &[]), line(2, &[])]).issued;
    let logged = judged(&[line(1, &[])]).issued;
    assert_eq!(missing(&logged, &issued), ["t-2"]);
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
