//! The decision table that every way of asking a gate is held against.

use countersign_model::declare::path::PathKind::{
    self, Automation, CallIn, EventOut, TokenMint, TokenUse,
};
use countersign_model::enforce::Call;

use crate::world::{MARKETPLACE, PAYROLL, RESELLER, SAAS, at};

/// One call, and the reason code of its answer.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) manifest: &'static str,
    pub(crate) call: Call,
    pub(crate) reason: &'static str,
}

pub(crate) fn call(kind: PathKind, client: &str, change: impl FnOnce(&mut Call)) -> Call {
    let mut call = Call::new(kind, client);
    change(&mut call);
    call
}

pub(crate) fn mint(client: &str, scope: &str) -> Call {
    call(TokenMint, client, |it| {
        it.scopes = vec![scope.to_owned()];
        it.grant_type = Some("client_credentials".to_owned());
        it.ttl_seconds = Some(300);
        it.ip = Some("192.0.2.9".parse().unwrap());
    })
}

pub(crate) fn usage(scope: &str, method: &str, path: &str) -> Call {
    call(TokenUse, "acme-helpdesk", |it| {
        it.scopes = vec![scope.to_owned()];
        it.method = Some(method.to_owned());
        it.path = Some(path.to_owned());
        it.issued_at = Some(at(-10));
    })
}

/// The calls of four integrations, in their first second.
pub(crate) fn table() -> Vec<Row> {
    let of = |manifest, rows: Vec<(&'static str, Call, &'static str)>| {
        rows.into_iter().map(move |(name, call, reason)| Row { name, manifest, call, reason })
    };
    let rows = of(SAAS, vendor()).chain(of(PAYROLL, payroll()));
    rows.chain(of(RESELLER, reseller())).chain(of(MARKETPLACE, marketplace())).collect()
}

fn vendor() -> Vec<(&'static str, Call, &'static str)> {
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
    let mut long = mint("acme-helpdesk", "tickets:write");
    long.ttl_seconds = Some(601);
    let mut two = mint("acme-helpdesk", "tickets:write");
    two.scopes.push("users:write".to_owned());
    let proven = |auth: &str, keys_at: Option<&str>| {
        let mut call = mint("acme-helpdesk", "tickets:write");
        call.auth = Some(auth.to_owned());
        call.keys_at = keys_at.map(str::to_owned);
        call
    };
    let jwks = Some("https://acme.example/.well-known/jwks.json");
    vec![
        ("mint", mint("acme-helpdesk", "tickets:write"), "admitted"),
        ("mint with its published key", proven("private_key_jwt", jwks), "admitted"),
        (
            "mint with a key beside",
            proven("private_key_jwt", Some("registered")),
            "outside-credential",
        ),
        ("mint with a secret", proven("client_secret_basic", None), "outside-credential"),
        ("mint another scope", mint("acme-helpdesk", "users:write"), "outside-scope"),
        ("mint another scope beside", two, "outside-scope"),
        ("mint for too long", long, "outside-scope"),
        ("a stranger mints", mint("evil", "tickets:write"), "uncertified"),
        ("mint without facts", Call::new(TokenMint, "acme-helpdesk"), "malformed"),
        ("use", usage("tickets:write", "PATCH", "/v1/tickets/17"), "admitted"),
        ("use another call", usage("tickets:write", "DELETE", "/v1/tickets/17"), "outside-path"),
        ("use another's call", usage("users:read.basic", "POST", "/v1/tickets"), "outside-path"),
        ("climb", usage("tickets:write", "POST", "/v1/users/../tickets"), "malformed"),
        ("climb encoded", usage("tickets:write", "POST", "/v1/%2e%2e/tickets"), "malformed"),
        ("hook", hook("unlock-request"), "admitted"),
        ("hook causes more", hook("role-grant"), "unknown-word"),
        ("event", event("user.locked"), "admitted"),
        ("another event", event("user.created"), "unknown-word"),
    ]
}

fn payroll() -> Vec<(&'static str, Call, &'static str)> {
    let job = |number| {
        call(Automation, "payrun-hr", |it| {
            it.subject = Some("job:nightly-reconcile".to_owned());
            it.causes.insert("account-disable".to_owned(), number);
        })
    };
    vec![("a job", job(25), "admitted"), ("a job above its limit", job(26), "over-rate")]
}

fn reseller() -> Vec<(&'static str, Call, &'static str)> {
    let change = |change: fn(&mut Call)| {
        let mut call = mint("northwind-provisioner", "tenants:create");
        change(&mut call);
        call
    };
    vec![
        ("right network", change(|_| {}), "admitted"),
        ("as IPv6", change(|it| it.ip = "::ffff:192.0.2.9".parse().ok()), "admitted"),
        ("another network", change(|it| it.ip = "203.0.113.9".parse().ok()), "outside-network"),
        ("no address", change(|it| it.ip = None), "malformed"),
        ("another grant", change(|it| it.grant_type = Some("password".into())), "outside-scope"),
        ("refresh", change(|it| it.grant_type = Some("refresh_token".into())), "outside-scope"),
    ]
}

fn marketplace() -> Vec<(&'static str, Call, &'static str)> {
    let event = |kind: &str, url: &str| {
        call(EventOut, "shiftly-planner", |it| {
            it.subject = Some("sub:group.changed".to_owned());
            it.event = Some(kind.to_owned());
            it.url = Some(url.to_owned());
        })
    };
    let there = "https://in.shiftly.example/events";
    let back = |url: &str| {
        call(CallIn, "shiftly-planner", |it| {
            it.subject = Some("cb:oauth".to_owned());
            it.url = Some(url.to_owned());
        })
    };
    let home = "https://planner.shiftly.example/oauth/return";
    vec![
        ("a group event", event("group.member.added", there), "admitted"),
        ("a user event", event("user.created", there), "unknown-word"),
        ("elsewhere", event("group.member.added", "https://evil.example/"), "outside-path"),
        ("a callback", back(home), "admitted"),
        ("a callback elsewhere", back("https://evil.example/oauth/return"), "outside-path"),
    ]
}
