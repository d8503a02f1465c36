//! The platform's API: every call needs a living token, the scope of the call, and the gate's word.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use countersign_gate::path::is_use;
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::{Call, Reason};
use countersign_model::time::Period;
use countersign_seal::Digest;
use ipnet::IpNet;
use serde_json::json;

use super::Shared;
use super::book::{Client, Token};
use super::elsewhere;
use super::logs::AccessLine;
use super::objects::{Owner, change, owner};
use super::problem::Problem;
use super::token::token_id;
use crate::{AccessFault, clock, entropy};

/// Each call with the scope that it needs.
pub(super) const CALLS: [(&str, &str); 10] = [
    ("POST /v1/tickets", "tickets:write"),
    ("PATCH /v1/tickets/{id}", "tickets:write"),
    ("GET /v1/users/{id}", "users:read.basic"),
    ("GET /v1/users", "users:read.all"),
    ("POST /v1/tenants", "tenants:create"),
    ("DELETE /v1/tenants/{id}", "tenants:delete"),
    ("GET /v1/groups/{id}/members", "groups:read"),
    ("POST /scim/v2/Users", "scim:users.write"),
    ("PATCH /scim/v2/Users/{id}", "scim:users.write"),
    ("GET /scim/v2/Users/{id}", "scim:users.read"),
];

/// The alert of a token that turns up elsewhere.
pub(crate) const NEW_NETWORK: &str = "token used from a network not seen before";

/// Every scope, with the calls that need it.
pub(super) fn scopes() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut scopes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (call, scope) in CALLS {
        scopes.entry(scope).or_default().push(call);
    }
    scopes
}

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/orders/{id}", get(order))
        .route("/v1/{*rest}", any(call))
        .route("/scim/v2/{*rest}", any(call))
}

/// The order book: an order is known when a granted token request named it.
async fn order(
    State(shared): State<Arc<Shared>>,
    axum::extract::Path(id): axum::extract::Path<String>,
) -> Result<Response, Problem> {
    let pages = shared.book.open();
    let known = pages.logs.tokens.iter().any(|it| it.order_id.as_deref() == Some(&id));
    if known { Ok(Json(json!({"id": id})).into_response()) } else { Err(Problem::not_found()) }
}

/// A token that is alive, and whose.
#[derive(Debug)]
pub(super) struct Bearer {
    pub(super) id: String,
    pub(super) token: Token,
    pub(super) client: Client,
}

/// Reads the bearer token of a request (RFC 6750).
pub(super) async fn bearer(
    shared: &Shared,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Result<Bearer, Problem> {
    let token = text(headers).ok_or_else(|| Problem::unauthorized("invalid-token"))?;
    match shared.identity.get() {
        Some(server) => elsewhere::bearer(shared, server, token, peer).await,
        None => own(shared, token),
    }
}

/// Whose a token is that was issued here.
fn own(shared: &Shared, token: &str) -> Result<Bearer, Problem> {
    let invalid = || Problem::unauthorized("invalid-token");
    let pages = shared.book.open();
    let digest = Digest::of(token.as_bytes());
    let found = pages.tokens.get(&digest).or_else(|| pages.revived(&digest));
    let found = found.ok_or_else(invalid)?.clone();
    let client = pages.clients.get(&found.client).ok_or_else(invalid)?.clone();
    let may_act = client.enabled || client.tokens_outlive_it();
    let has_ended =
        found.expires_at <= clock::now() && !client.has(AccessFault::HonoursExpiredTokens);
    if has_ended || !may_act {
        return Err(invalid());
    }
    drop(pages);
    if client.has(AccessFault::ExtendsTokensOnUse) {
        let longer = clock::now() + Period::from_seconds(client.registration.token_ttl_seconds);
        if let Some(it) = shared.book.open().tokens.get_mut(&Digest::of(token.as_bytes())) {
            it.expires_at = longer;
        }
    }
    Ok(Bearer { id: token_id(token), token: found, client })
}

pub(super) fn text(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

async fn call(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let who = bearer(&shared, &headers, peer.ip()).await?;
    let now = clock::now();
    if who.token.ip != peer.ip() {
        shared.book.open().raise(&who.token.client, NEW_NETWORK, now);
    }
    let decided = decide(&shared, &who, &peer, &method, uri.path());
    let decided = decided.and_then(|()| surroundings(&who, &peer, &headers));
    let answer = match decided {
        Ok(()) => reach(&shared, &who, &method, uri.path(), &body).await,
        Err(problem) => Err(problem),
    };
    record(&shared, &who, &peer, (method.as_str(), uri.path()), &answer);
    answer
}

/// Writes a use of a token down.
pub(super) fn record(
    shared: &Shared,
    who: &Bearer,
    peer: &SocketAddr,
    (method, path): (&str, &str),
    answer: &Result<Response, Problem>,
) {
    let status = match answer {
        Ok(it) => it.status(),
        Err(it) => it.status,
    };
    let line = AccessLine {
        time: clock::now(),
        client_id: who.token.client.clone(),
        token_id: who.id.clone(),
        method: method.to_owned(),
        path: path.chars().take(200).collect(),
        scope: who.token.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
        ip: peer.ip().to_string(),
        status: status.as_u16(),
    };
    shared.book.open().logs.access.push(line);
}

/// A machine's token is used from its networks, and by no browser.
fn surroundings(who: &Bearer, peer: &SocketAddr, headers: &HeaderMap) -> Result<(), Problem> {
    let networks = &who.client.registration.networks;
    let is_inside = networks.is_empty() || networks.iter().any(|it| holds(it, peer.ip()));
    if !is_inside && !who.client.has(AccessFault::IgnoresNetworks) {
        return Err(Problem::denied(Reason::OutsideNetwork));
    }
    let agent = headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok());
    let is_browser = agent.is_some_and(|it| it.starts_with("Mozilla/"));
    if is_browser && !who.client.has(AccessFault::AllowsBrowser) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "interactive-use"));
    }
    Ok(())
}

fn holds(network: &str, ip: IpAddr) -> bool {
    network.parse::<IpNet>().is_ok_and(|it| it.contains(&ip))
}

/// Answers about an object, if it is the caller's to ask about.
async fn reach(
    shared: &Shared,
    who: &Bearer,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<Response, Problem> {
    let owner = owner(&shared.book.open(), path);
    match owner {
        Owner::Caller => answer(method, path, body),
        Owner::Nobody => Err(Problem::not_found()),
        Owner::Other(name) if who.client.has(AccessFault::IgnoresOwner) => {
            if method != Method::GET {
                change(&mut shared.book.open(), path);
            }
            Ok(Json(json!({ "display_name": name })).into_response())
        }
        Owner::Other(name) if who.client.has(AccessFault::LeaksInRefusal) => {
            let body = json!({ "code": "not-yours", "detail": format!("{name} is not yours") });
            Ok((StatusCode::FORBIDDEN, Json(body)).into_response())
        }
        Owner::Other(_) => {
            if who.client.has(AccessFault::SlowForForeign) {
                tokio::time::sleep(SLOW).await;
            }
            Err(Problem::not_found())
        }
    }
}

/// How much later a platform refuses that looks an object up before it asks whose it is.
const SLOW: Duration = Duration::from_millis(200);

fn decide(
    shared: &Shared,
    who: &Bearer,
    peer: &SocketAddr,
    method: &Method,
    path: &str,
) -> Result<(), Problem> {
    let found = CALLS.iter().find(|it| is_use(it.0, method.as_str(), path));
    let scope = found.map(|it| it.1);
    let mut call = Call::new(PathKind::TokenUse, who.client.known_as());
    call.scopes = match scope {
        Some(scope) => vec![scope.to_owned()],
        None => who.token.scopes.iter().cloned().collect(),
    };
    call.method = Some(method.to_string());
    call.path = Some(path.to_owned());
    call.ip = Some(peer.ip());
    call.issued_at = Some(who.token.issued_at);
    who.token.proof.tell(&mut call);
    let reason = shared.ask(&call);
    if reason != Reason::Admitted {
        return Err(Problem::denied(reason));
    }
    let scope = scope.ok_or(Problem::not_found())?;
    if !who.token.scopes.contains(scope) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "insufficient-scope"));
    }
    Ok(())
}

/// What the call answers: enough to see that it went through.
fn answer(method: &Method, path: &str, body: &[u8]) -> Result<Response, Problem> {
    if !body.is_empty() && serde_json::from_slice::<serde_json::Value>(body).is_err() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "not-json"));
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    Ok(match method.as_str() {
        "POST" => {
            let id = entropy::suffix().map_err(|_| Problem::internal())?;
            (StatusCode::CREATED, Json(json!({"id": id}))).into_response()
        }
        "DELETE" => StatusCode::NO_CONTENT.into_response(),
        "GET" if last == "members" => Json(json!({"members": ["u-1", "u-2"]})).into_response(),
        "GET" => Json(json!({"id": last, "display_name": "Robin Sample"})).into_response(),
        _ => Json(json!({"id": last})).into_response(),
    })
}
