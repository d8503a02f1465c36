//! Calls and answers, as a table.

use std::time::Duration;

use countersign_model::declare::path::PathKind;
use countersign_model::enforce::grant::IdentityGrant;
use countersign_model::enforce::snapshot::Standing;
use countersign_model::enforce::{Call, Grant, Hold};

use crate::table::{mint, table, usage};
use crate::world::{Making, RESELLER, SAAS, at, gate, manifest, right, snapshot};

/// The reason code, `seconds` after the gate last heard from its server.
fn asked(making: &Making, call: &Call, seconds: u64) -> &'static str {
    let (gate, start) = gate(making);
    let seconds_wall = i64::try_from(seconds).unwrap();
    gate.decide(call, start + Duration::from_secs(seconds), at(seconds_wall)).reason.code()
}

#[test]
fn each_call_of_the_table_has_its_answer() {
    for row in table() {
        assert_eq!(asked(&right(row.manifest), &row.call, 0), row.reason, "{}", row.name);
    }
}

#[test]
fn the_reseller_is_held_to_its_hours_and_its_rate() {
    let call = mint("northwind-provisioner", "tenants:create");
    let (late, start) = gate(&right(RESELLER));
    let evening = late.decide(&call, start, at(11 * 3_600)).reason.code();
    assert_eq!(evening, "outside-hours");
    let (gate, start) = gate(&right(RESELLER));
    let mut admitted = 0;
    for _ in 0..130 {
        admitted += u32::from(gate.decide(&call, start, at(1)).is_admitted());
    }
    assert_eq!(admitted, 120, "max_per_hour");
}

#[test]
fn standing_age_and_watermark_deny() {
    let ask = usage("tickets:write", "POST", "/v1/tickets");
    let with = |change: fn(&mut Making)| {
        let mut making = right(SAAS);
        change(&mut making);
        making
    };
    let table = [
        ("good", with(|_| {}), 4, "admitted"),
        ("older than the lease", with(|_| {}), 5, "stale"),
        ("revoked", with(|it| it.standing = Standing::Revoked), 0, "revoked"),
        // What is old says nothing, not even that.
        ("revoked, and stale", with(|it| it.standing = Standing::Revoked), 9, "stale"),
        ("suspended", with(|it| it.standing = Standing::Suspended { until: None }), 0, "suspended"),
        ("lapsed", with(|it| it.standing = Standing::Lapsed), 0, "lapsed"),
        ("ran out", with(|it| it.standing = Standing::Good { until: at(1) }), 1, "lapsed"),
        ("issued before", with(|it| it.watermark = Some(at(-5))), 0, "credential-revoked"),
        (
            "issued in the same second",
            with(|it| it.watermark = Some(at(-10))),
            0,
            "credential-revoked",
        ),
        ("issued after", with(|it| it.watermark = Some(at(-11))), 0, "admitted"),
    ];
    for (name, making, seconds, reason) in table {
        assert_eq!(asked(&making, &ask, seconds), reason, "{name}");
    }
}

#[test]
fn a_held_client_has_to_show_what_its_calls_rest_on() {
    let new = || Some(["k2".to_owned()].into());
    let whole = Hold { whole: true, ..Hold::default() };
    let keys = Hold { credentials: new(), ..Hold::default() };
    let auth = Hold { credentials: Some([].into()), ..Hold::default() };
    let refresh = Hold { refresh: true, ..Hold::default() };
    let jwks = "https://acme.example/.well-known/jwks.json";
    let by = |change: fn(&mut Call)| {
        let mut both =
            [mint("acme-helpdesk", "tickets:write"), usage("tickets:write", "POST", "/v1/tickets")];
        both.iter_mut().for_each(change);
        both
    };
    let untold = by(|_| {});
    let known = by(|it| it.credential = Some("k1".to_owned()));
    let other = by(|it| it.credential = Some("k2".to_owned()));
    let published = by(|it| it.keys_at = Some("https://acme.example/.well-known/jwks.json".into()));
    assert_eq!(published[0].keys_at.as_deref(), Some(jwks));
    let secret = by(|it| it.auth = Some("client_secret_basic".to_owned()));
    let table = [
        ("nothing differs", None, &other, "admitted"),
        ("a role", Some(&whole), &published, "drifted"),
        ("a key, and nothing is told", Some(&keys), &untold, "drifted"),
        ("a key, and an old one is used", Some(&keys), &known, "admitted"),
        ("a key, and it is used", Some(&keys), &other, "drifted"),
        ("a key, and a published one is used", Some(&keys), &published, "admitted"),
        ("another way in, and nothing is told", Some(&auth), &untold, "drifted"),
        ("another way in, and it is used", Some(&auth), &secret, "outside-credential"),
        ("longer refresh", Some(&refresh), &untold, "admitted"),
    ];
    for (name, hold, calls, reason) in table {
        let making = Making { held: hold.cloned(), ..right(SAAS) };
        for call in calls {
            assert_eq!(asked(&making, call, 0), reason, "{name}: {}", call.kind.word());
        }
        // A hold is about tokens.
        let mut hook = Call::new(PathKind::CallIn, "acme-helpdesk");
        hook.subject = Some("hook:ticket-events".to_owned());
        assert_eq!(asked(&making, &hook, 0), "admitted", "{name}");
    }
    let identity =
        IdentityGrant { refresh: true, ..Grant::compile(&manifest(SAAS)).identities.remove(0) };
    let mut call = mint("acme-helpdesk", "tickets:write");
    assert!(!refresh.denies(&call, &identity));
    call.grant_type = Some("refresh_token".to_owned());
    assert!(refresh.denies(&call, &identity));
}

#[test]
fn a_gate_that_heard_nothing_admits_nobody() {
    let (_, start) = gate(&right(SAAS));
    let gate = countersign_gate::Gate::new(crate::world::pins());
    let answer = gate.decide(&mint("acme-helpdesk", "tickets:write"), start, at(0));
    assert_eq!((answer.reason.code(), answer.age), ("stale", None));
}

#[test]
fn a_gate_never_goes_back_and_keeps_what_it_has() {
    let (gate, start) = gate(&right(SAAS));
    let older = Making { epoch: 6, ..right(SAAS) };
    assert!(gate.load(&snapshot(&older), start).is_err());
    assert!(gate.load(b"{}", start).is_err());
    assert_eq!(gate.epoch(), 7);
    assert!(gate.decide(&mint("acme-helpdesk", "tickets:write"), start, at(0)).is_admitted());
}
