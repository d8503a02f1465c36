//! Calls and answers, as a table.

use std::time::Duration;

use countersign_model::declare::path::PathKind::{
    self, Automation, CallIn, EventOut, TokenMint, TokenUse,
};
use countersign_model::enforce::Call;
use countersign_model::enforce::snapshot::Standing;

use crate::world::{Making, PAYROLL, RESELLER, SAAS, at, gate, right, snapshot};

fn call(kind: PathKind, client: &str, change: impl FnOnce(&mut Call)) -> Call {
    let mut call = Call::new(kind, client);
    change(&mut call);
    call
}

fn mint(client: &str, scope: &str) -> Call {
    call(TokenMint, client, |it| {
        it.scopes = vec![scope.to_owned()];
        it.grant_type = Some("client_credentials".to_owned());
        it.ttl_seconds = Some(300);
        it.ip = Some("192.0.2.9".parse().unwrap());
    })
}

fn usage(scope: &str, method: &str, path: &str) -> Call {
    call(TokenUse, "acme-helpdesk", |it| {
        it.scopes = vec![scope.to_owned()];
        it.method = Some(method.to_owned());
        it.path = Some(path.to_owned());
        it.issued_at = Some(at(-10));
    })
}

/// The reason code, `seconds` after the gate last heard from its server.
fn asked(making: &Making, call: &Call, seconds: u64) -> &'static str {
    let (gate, start) = gate(making);
    let seconds_wall = i64::try_from(seconds).unwrap();
    gate.decide(call, start + Duration::from_secs(seconds), at(seconds_wall)).reason.code()
}

#[test]
fn the_vendor_may_do_what_was_certified_and_nothing_else() {
    let hook = |cause: &str| {
        call(CallIn, "acme-helpdesk", |it| {
            it.subject = Some("hook:ticket-events".to_owned());
            it.causes.insert(cause.to_owned(), 1);
        })
    };
    let event = |kind: &str| {
        call(EventOut, "acme-helpdesk", |it| {
            it.subject = Some("sub:user.lifecycle".to_owned());
            it.event = Some(kind.to_owned());
        })
    };
    let long = call(TokenMint, "acme-helpdesk", |it| {
        *it = mint("acme-helpdesk", "tickets:write");
        it.ttl_seconds = Some(601);
    });
    let table = [
        ("mint", mint("acme-helpdesk", "tickets:write"), "admitted"),
        ("mint another scope", mint("acme-helpdesk", "users:write"), "outside-scope"),
        ("mint for too long", long, "outside-scope"),
        ("a stranger mints", mint("evil", "tickets:write"), "uncertified"),
        ("mint without facts", Call::new(TokenMint, "acme-helpdesk"), "malformed"),
        ("use", usage("tickets:write", "PATCH", "/v1/tickets/17"), "admitted"),
        (
            "use for another call",
            usage("tickets:write", "DELETE", "/v1/tickets/17"),
            "outside-path",
        ),
        ("use of another's call", usage("users:read.basic", "POST", "/v1/tickets"), "outside-path"),
        ("climbing path", usage("tickets:write", "POST", "/v1/users/../tickets"), "malformed"),
        ("hook", hook("unlock-request"), "admitted"),
        ("hook causes more", hook("role-grant"), "unknown-word"),
        ("event", event("user.locked"), "admitted"),
        ("another event", event("user.created"), "unknown-word"),
    ];
    for (name, call, reason) in table {
        assert_eq!(asked(&right(SAAS), &call, 0), reason, "{name}");
    }
}

#[test]
fn the_payroll_job_is_held_above_its_limit() {
    let job = |number| {
        call(Automation, "payrun-hr", |it| {
            it.subject = Some("job:nightly-reconcile".to_owned());
            it.causes.insert("account-disable".to_owned(), number);
        })
    };
    assert_eq!(asked(&right(PAYROLL), &job(25), 0), "admitted");
    assert_eq!(asked(&right(PAYROLL), &job(26), 0), "over-rate");
}

#[test]
fn the_reseller_is_held_to_its_declared_use() {
    let change = |change: fn(&mut Call)| {
        let mut call = mint("northwind-provisioner", "tenants:create");
        change(&mut call);
        call
    };
    let table = [
        ("right", change(|_| {}), 0, "admitted"),
        ("as IPv6", change(|it| it.ip = "::ffff:192.0.2.9".parse().ok()), 0, "admitted"),
        ("another network", change(|it| it.ip = "203.0.113.9".parse().ok()), 0, "outside-network"),
        ("no address", change(|it| it.ip = None), 0, "malformed"),
        ("another grant", change(|it| it.grant_type = Some("password".into())), 0, "outside-scope"),
        ("refresh", change(|it| it.grant_type = Some("refresh_token".into())), 0, "outside-scope"),
    ];
    for (name, call, seconds, reason) in table {
        assert_eq!(asked(&right(RESELLER), &call, seconds), reason, "{name}");
    }
    let (gate, start) = gate(&right(RESELLER));
    let evening = gate.decide(&change(|_| {}), start, at(11 * 3_600)).reason.code();
    assert_eq!(evening, "outside-hours");
    let mut admitted = 0;
    for _ in 0..130 {
        admitted += u32::from(gate.decide(&change(|_| {}), start, at(1)).is_admitted());
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
        ("revoked, and stale", with(|it| it.standing = Standing::Revoked), 9, "revoked"),
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
