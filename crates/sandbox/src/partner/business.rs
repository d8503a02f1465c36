//! The ordinary work of a partner: a token, what it is for, and a line in its own log.

use std::collections::BTreeMap;
#[cfg(test)]
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::jwt;
use serde_json::{Map, Value, json};

use super::keys::Named;
use super::{Caller, Fault, Inner, Kind, Tenant};
use crate::platform::{ASSERTION_TYPE, JWT_BEARER, token_id};
use crate::ring::Ring;
use crate::{clock, entropy};

/// How pieces of work went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Business {
    /// Requests for a token.
    pub tokens: Counted,
    /// Calls with one, and webhooks.
    pub calls: Counted,
}

/// How many went through, and why the others did not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// How many went through.
    pub admitted: u32,
    /// How many did not, by reason code.
    pub refused: BTreeMap<String, u32>,
}

impl Counted {
    fn add(&mut self, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.admitted += 1,
            Err(reason) => *self.refused.entry(reason).or_default() += 1,
        }
    }
}

/// A partner's own log.
#[derive(Debug)]
pub(super) struct Journal {
    numbers: [AtomicU64; 2],
    lines: Mutex<Ring<(Lane, Timestamp, Value)>>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { numbers: Default::default(), lines: Mutex::new(Ring::new(LINES_MAX)) }
    }
}

impl Journal {
    /// The number of the next request to a tenant, from 1 on.
    fn next(&self, lane: Lane) -> u64 {
        let index = usize::from(lane == Lane::Trial);
        self.numbers[index].fetch_add(1, Ordering::SeqCst) + 1
    }

    fn keep(&self, lane: Lane, time: Timestamp, line: Value) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push((lane, time, line));
    }

    /// What was done with one tenant since a moment, as JSON lines.
    pub(super) fn lines(&self, lane: Lane, since: Timestamp) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = lines.iter().filter(|it| it.0 == lane && since <= it.1);
        let mut text = String::new();
        for (_, _, line) in mine {
            let _infallible = writeln!(text, "{line}");
        }
        text
    }
}

/// One call that a piece of work makes.
struct Step {
    method: reqwest::Method,
    path: String,
    body: Option<Value>,
}

fn step(method: reqwest::Method, path: &str, body: Option<Value>) -> Step {
    Step { method, path: path.to_owned(), body }
}

/// What one kind of partner does with a token.
struct Habit {
    client: &'static str,
    scope: &'static str,
    purpose: &'static str,
    actor: String,
    steps: Vec<Step>,
}

fn habit(kind: Kind, number: u64) -> Habit {
    use reqwest::Method;
    let id = 1_000 + number % 500;
    match kind {
        Kind::Acme => Habit {
            client: "acme-helpdesk",
            scope: "tickets:write users:read.basic",
            purpose: "lock-out",
            actor: format!("acme-agent-{}", number % 7),
            steps: vec![
                step(Method::GET, &format!("/v1/users/u-{id}"), None),
                step(Method::POST, "/v1/tickets", Some(json!({"subject": "locked out"}))),
                step(Method::PATCH, &format!("/v1/tickets/t-{id}"), Some(json!({"state": "open"}))),
            ],
        },
        Kind::Meridian => Habit {
            client: "meridian-suite",
            scope: "users:read.basic",
            purpose: "profile",
            actor: format!("meridian-agent-{}", number % 7),
            steps: vec![step(Method::GET, &format!("/v1/users/u-{id}"), None)],
        },
        Kind::Northwind => Habit {
            client: "northwind-provisioner",
            scope: "tenants:create",
            purpose: "order",
            actor: format!("nw-job{:06}", number % 9),
            steps: vec![step(
                Method::POST,
                "/v1/tenants",
                Some(json!({"order": format!("o-{number}")})),
            )],
        },
        Kind::Payrun => Habit {
            client: "payrun-scim",
            scope: "scim:users.write",
            purpose: "joiner",
            actor: format!("payrun-clerk-{}", number % 4),
            steps: vec![
                step(Method::POST, "/scim/v2/Users", Some(json!({"userName": format!("p{id}")}))),
                step(
                    Method::PATCH,
                    &format!("/scim/v2/Users/p{id}"),
                    Some(json!({"active": true})),
                ),
            ],
        },
        Kind::Shiftly => Habit {
            client: "shiftly",
            scope: "groups:read",
            purpose: "plan",
            actor: "shiftly-planner-job".to_owned(),
            steps: vec![step(Method::GET, &format!("/v1/groups/g-{id}/members"), None)],
        },
    }
}

/// Does `n` pieces of work with one tenant, then pushes the log of them.
pub(super) async fn work(inner: &Inner, lane: Lane, n: u32) -> Business {
    let mut business = Business::default();
    let Some(tenant) = inner.tenants.iter().find(|it| it.lane == lane) else { return business };
    let mut pushed = String::new();
    for _ in 0..n {
        // Whoever changes the partner waits for what it has begun.
        let _at_work = inner.working.read().await;
        piece(inner, tenant, &mut business, &mut pushed).await;
    }
    // A payroll partner's log is fetched; the others push theirs.
    if inner.kind != Kind::Payrun && !pushed.is_empty() {
        let url = format!("{}/admin/log-intake/{}", tenant.url, inner.kind.slug());
        let request = inner.http.post(url).bearer_auth(&tenant.intake).body(pushed);
        if let Err(error) = request.send().await {
            tracing::debug!(%error, "a partner could not push its log");
        }
    }
    business
}

/// A token that was granted.
struct Held {
    token: String,
    line: Map<String, Value>,
}

async fn piece(inner: &Inner, tenant: &Tenant, business: &mut Business, pushed: &mut String) {
    let number = inner.journal.next(tenant.lane);
    let habit = habit(inner.kind, number);
    let drops = inner.faults.has(Fault::LogGap) && number % 10 == 7;
    let mut write = |line: Map<String, Value>, time: Timestamp| {
        if !drops {
            let line = Value::Object(line);
            let _infallible = writeln!(pushed, "{line}");
            inner.journal.keep(tenant.lane, time, line);
        }
    };
    let time = clock::now();
    let held = match token(inner, tenant, &habit, number).await {
        Ok(held) => held,
        Err((mut line, reason)) => {
            line.insert("result".to_owned(), reason.clone().into());
            write(line, time);
            business.tokens.add(Err(reason));
            return;
        }
    };
    business.tokens.add(Ok(()));
    for (index, step) in habit.steps.iter().enumerate() {
        let time = clock::now();
        let outcome = call(inner, tenant, &held.token, step).await;
        let mut line = held.line.clone();
        if 0 < index {
            // One number per request for a token.
            line.remove("seq");
        }
        line.insert("time".to_owned(), time.to_string().into());
        line.insert("action".to_owned(), step.method.as_str().into());
        line.insert("resource".to_owned(), step.path.clone().into());
        if 0 < index && inner.faults.has(Fault::LogLacksActions) {
            business.calls.add(outcome);
            continue;
        }
        if let Err(reason) = &outcome {
            line.insert("call_result".to_owned(), reason.clone().into());
        }
        write(line, time);
        business.calls.add(outcome);
    }
    if number % 4 == 1 {
        for caller in &inner.callers {
            business.calls.add(webhook(inner, tenant, caller).await);
        }
    }
}

/// Asks for a token with the key of the moment.
async fn token(
    inner: &Inner,
    tenant: &Tenant,
    habit: &Habit,
    number: u64,
) -> Result<Held, (Map<String, Value>, String)> {
    let faults = &inner.faults;
    let now = clock::now();
    let unnamed = faults.has(Fault::UnattributedRequests) && number % 5 == 2;
    let off_use = faults.has(Fault::OffUseRequests) && number % 6 == 3;
    let grant = if off_use { JWT_BEARER } else { "client_credentials" };
    let order = (inner.kind == Kind::Northwind).then(|| format!("o-{number}"));
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    fields.insert("grant_type", grant.to_owned());
    fields.insert("scope", habit.scope.to_owned());
    fields.insert("purpose", habit.purpose.to_owned());
    fields.insert("seq", number.to_string());
    if !unnamed {
        fields.insert("actor", habit.actor.clone());
    }
    fields.extend(order.map(|it| ("order_id", it)));
    let mut line = Map::new();
    let request_id = entropy::suffix().unwrap_or_default();
    for (name, value) in [
        ("time", now.to_string()),
        ("client_id", habit.client.to_owned()),
        ("grant", grant.to_owned()),
        ("scope", habit.scope.to_owned()),
        ("ip", "127.0.0.1".to_owned()),
        ("action", "token".to_owned()),
        ("resource", "/oauth/token".to_owned()),
        ("request_id", format!("req-{request_id}")),
    ] {
        line.insert(name.to_owned(), value.into());
    }
    line.insert("seq".to_owned(), number.into());
    for name in ["actor", "order_id", "purpose"] {
        if let Some(value) = fields.get(name) {
            line.insert(name.to_owned(), value.clone().into());
        }
    }
    match ask(inner, tenant, habit, fields, number, now).await {
        Ok((token, life)) => {
            line.insert("token_id".to_owned(), token_id(&token).into());
            line.insert("issued_at".to_owned(), now.to_string().into());
            line.insert(
                "expires_at".to_owned(),
                (now + Period::from_seconds(life)).to_string().into(),
            );
            line.insert("result".to_owned(), "granted".into());
            Ok(Held { token, line })
        }
        Err(reason) => Err((line, reason)),
    }
}

/// Asks once for a token of another kind than the ordinary one, and says why it was refused.
pub(super) async fn attempt(
    inner: &Inner,
    lane: Lane,
    scope: &str,
    grant: &str,
) -> Result<(), String> {
    let tenant = inner.tenants.iter().find(|it| it.lane == lane).ok_or("no-tenant")?;
    let number = inner.journal.next(lane);
    let habit = habit(inner.kind, number);
    let fields = BTreeMap::from([
        ("grant_type", grant.to_owned()),
        ("scope", scope.to_owned()),
        ("purpose", habit.purpose.to_owned()),
        ("seq", number.to_string()),
        ("actor", habit.actor.clone()),
        ("order_id", format!("o-{number}")),
    ]);
    ask(inner, tenant, &habit, fields, number, clock::now()).await.map(drop)
}

async fn ask(
    inner: &Inner,
    tenant: &Tenant,
    habit: &Habit,
    mut fields: BTreeMap<&str, String>,
    number: u64,
    now: Timestamp,
) -> Result<(String, u64), String> {
    let stale = inner.faults.has(Fault::OldKeyStaysAlive) && number.is_multiple_of(2);
    let key = if stale { inner.keys.oldest(now) } else { inner.keys.newest(now) };
    let key = key.ok_or("no-key")?;
    let internal = |_| "no-assertion".to_owned();
    fields.insert("client_assertion_type", ASSERTION_TYPE.to_owned());
    let signed = assertion(&key, habit.client, &tenant.audience, now).map_err(internal)?;
    fields.insert("client_assertion", signed);
    if fields.get("grant_type").is_some_and(|it| it == JWT_BEARER) {
        let signed = assertion(&key, habit.client, &tenant.audience, now).map_err(internal)?;
        fields.insert("assertion", signed);
    }
    let response = inner.http.post(&tenant.token_endpoint).form(&fields).send().await;
    let response = response.map_err(|_| "unreachable".to_owned())?;
    let body: Value = response.json().await.map_err(|_| "unreadable".to_owned())?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    match (text("access_token"), body.get("expires_in").and_then(Value::as_u64)) {
        (Some(token), Some(life)) => Ok((token.to_owned(), life)),
        _ => Err(text("error_description").or(text("error")).unwrap_or("refused").to_owned()),
    }
}

/// A client assertion (RFC 7523, section 3).
fn assertion(
    key: &Named,
    client: &str,
    audience: &str,
    now: Timestamp,
) -> Result<String, crate::StartError> {
    let claims = json!({
        "iss": client,
        "sub": client,
        "aud": audience,
        "iat": now.seconds(),
        "exp": now.seconds() + 60,
        "jti": entropy::token()?,
    });
    jwt::sign("JWT", &key.kid, &claims, &key.key)
        .map_err(|it| crate::StartError::Refused(it.to_string()))
}

async fn call(inner: &Inner, tenant: &Tenant, token: &str, step: &Step) -> Result<(), String> {
    let url = format!("{}{}", tenant.url, step.path);
    let mut request = inner.http.request(step.method.clone(), url).bearer_auth(token);
    if let Some(body) = &step.body {
        request = request.json(body);
    }
    outcome(request).await
}

/// Tells the platform about a ticket, with a signature.
async fn webhook(inner: &Inner, tenant: &Tenant, caller: &Caller) -> Result<(), String> {
    let number = entropy::suffix().map_err(|_| "no-entropy")?;
    let body = json!({"type": "ticket.updated", "ticket": number, "causes": {"unlock-request": 1}});
    let url = format!("{}{}", tenant.url, caller.path);
    let id = format!("msg_{number}");
    let sealed = caller.sealed(&url, (&id, body), (clock::now(), &inner.faults));
    let sealed = sealed.map_err(|it| it.to_string())?;
    let request = inner.http.post(url).header("content-type", caller.content_type());
    let request = sealed.headers.iter().fold(request, |it, (name, value)| it.header(name, value));
    outcome(request.body(sealed.body)).await
}

async fn outcome(request: reqwest::RequestBuilder) -> Result<(), String> {
    let response = request.send().await.map_err(|_| "unreachable".to_owned())?;
    if response.status().is_success() {
        return Ok(());
    }
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap_or_default();
    Err(body.get("code").and_then(Value::as_str).map_or(format!("status-{status}"), str::to_owned))
}

/// The clients that the habits name; a manifest that lacks one could do no work.
#[cfg(test)]
pub(crate) fn clients() -> BTreeSet<&'static str> {
    Kind::EVERY.into_iter().map(|it| habit(it, 1).client).collect()
}

const LINES_MAX: usize = 100_000;
