//! What administrators read.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_checks::platform::Accepted;
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::enforce::{Call, Reason};
use countersign_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::book::{Client, Pages};
use super::client::key_names;
use super::inventory::{credentials, kind};
use super::problem::Problem;
use super::staff::{is_reader, killer};
use super::{Shared, api};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/clients", get(clients))
        .route("/admin/objects", get(objects))
        .route("/admin/scopes", get(scopes))
        .route("/admin/subscriptions", get(subscriptions))
        .route("/admin/subscriptions/{integration}/signing-key", get(signing_key))
        .route("/admin/deliveries", get(deliveries))
        .route("/admin/received", get(received))
        .route("/admin/token-log", get(token_log))
        .route("/admin/access-log", get(access_log))
        .route("/admin/pushed-log", get(pushed_log))
        .route("/admin/accepted", get(accepted))
        .route("/admin/audit", get(audit))
        .route("/admin/alerts", get(alerts))
        .route("/admin/doors/{integration}/{kind}/{subject}", get(door))
}

/// What a listing is narrowed to.
#[derive(Debug, Default, Deserialize)]
struct Narrow {
    integration: Option<String>,
    client: Option<String>,
    since: Option<String>,
}

impl Narrow {
    fn since(&self) -> Result<Timestamp, Problem> {
        match &self.since {
            None => Ok(Timestamp::from_millis(i64::MIN)),
            Some(it) => it.parse().map_err(|_| Problem::invalid("since-is-not-a-moment")),
        }
    }

    fn is_integration(&self, name: &str) -> bool {
        self.integration.as_deref().is_none_or(|it| it == name)
    }

    fn is_client(&self, name: &str) -> bool {
        self.client.as_deref().is_none_or(|it| it == name)
    }
}

fn reader(shared: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    if is_reader(shared, headers) { Ok(()) } else { Err(Problem::unauthorized("unknown-caller")) }
}

async fn clients(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let pages = shared.book.open();
    let mine = pages.clients.values().filter(|it| {
        let it = &it.registration;
        narrow.is_integration(&it.integration) && narrow.is_client(&it.client_id)
    });
    let listed: Vec<_> = mine.map(|it| listed(&pages, it)).collect();
    Ok(Json(listed).into_response())
}

fn listed(pages: &Pages, client: &Client) -> serde_json::Value {
    let registration = &client.registration;
    let id = &registration.client_id;
    let alerts: Vec<_> =
        pages.logs.alerts.iter().map(|it| &it.1).filter(|it| it.client_id == *id).collect();
    json!({
        "client_id": id,
        "integration": registration.integration,
        "enabled": client.enabled,
        "auth": registration.auth,
        "scopes": registration.scopes,
        "keys": key_names(registration),
        "redirect_uris": registration.redirects.values().collect::<Vec<_>>(),
        "grant_types": registration.grant_types,
        "token_ttl_seconds": registration.token_ttl_seconds,
        "refresh_ttl_seconds": registration.refresh_ttl_seconds,
        "max_per_hour": registration.max_per_hour,
        "created_at": client.created_at,
        "last_used": client.last_used,
        "owner": registration.extras.owner.as_deref().unwrap_or_default(),
        "roles": registration.extras.roles,
        "built_in": registration.extras.built_in,
        "kind": kind(registration),
        "credentials": credentials(client),
        "copy_of": client.copy_of,
        "alerts": alerts,
    })
}

/// Objects that a client may reach, and ones that it may not.
async fn objects(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let mut pages = shared.book.open();
    let client = narrow.client.and_then(|it| pages.clients.get(&it).cloned());
    let client = client.ok_or(Problem::not_found())?;
    Ok(Json(super::objects::listed(&mut pages, &client)).into_response())
}

async fn scopes(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    Ok(Json(api::scopes()).into_response())
}

async fn subscriptions(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let pages = shared.book.open();
    // A relay inside the platform is in no list that administrators see.
    let declared = pages.subscriptions.iter().filter(|it| it.1.registration.relay_of.is_none());
    let mine = declared.filter(|it| narrow.is_integration(&it.0.0));
    let listed = mine.map(|((integration, id), it)| {
        json!({
            "id": id,
            "integration": integration,
            "types": it.registration.types,
            "endpoint": it.registration.endpoint,
            "enabled": it.enabled,
            "queued": it.queue.len(),
        })
    });
    Ok(Json(listed.collect::<Vec<_>>()).into_response())
}

/// Which subscription is meant.
#[derive(Debug, Deserialize)]
struct One {
    subscription: Option<String>,
}

/// The key that signs events: a test tenant's only, and only for whoever may kill.
async fn signing_key(
    State(shared): State<Arc<Shared>>,
    Path(integration): Path<String>,
    Query(one): Query<One>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    killer(&shared, &headers)?;
    if shared.lane != Lane::Trial {
        return Err(Problem::new(StatusCode::FORBIDDEN, "not-here"));
    }
    let secret = {
        let pages = shared.book.open();
        let mut mine = pages.subscriptions.iter().filter(|it| {
            it.0.0 == integration && one.subscription.as_ref().is_none_or(|id| *id == it.0.1)
        });
        let found = mine.next().ok_or(Problem::not_found())?;
        one.subscription.is_some().then(|| found.1.registration.secret.clone()).flatten()
    };
    if let Some(secret) = secret {
        return Ok(Json(json!({"secret": secret})).into_response());
    }
    let seed = URL_SAFE_NO_PAD.encode(shared.event_seed);
    Ok(Json(json!({"seed": seed})).into_response())
}

async fn deliveries(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let since = narrow.since()?;
    let pages = shared.book.open();
    let mine = pages.logs.deliveries.iter();
    let mine = mine.filter(|it| since <= it.time && narrow.is_integration(&it.integration));
    Ok(Json(mine.collect::<Vec<_>>()).into_response())
}

async fn received(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let since = narrow.since()?;
    let pages = shared.book.open();
    let mine = pages.logs.received.iter();
    let mine = mine.filter(|it| since <= it.time && narrow.is_integration(&it.integration));
    Ok(Json(mine.collect::<Vec<_>>()).into_response())
}

async fn token_log(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let since = narrow.since()?;
    let pages = shared.book.open();
    let mine = pages.logs.tokens.iter();
    lines(mine.filter(|it| since <= it.time && narrow.is_client(&it.client_id)))
}

async fn access_log(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let since = narrow.since()?;
    let pages = shared.book.open();
    let mine = pages.logs.access.iter();
    lines(mine.filter(|it| since <= it.time && narrow.is_client(&it.client_id)))
}

async fn pushed_log(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let pages = shared.book.open();
    let mine = pages.logs.pushed.iter().filter(|it| narrow.is_integration(&it.integration));
    lines(mine.map(|it| &it.line))
}

/// What proves a client, without any secret half; copies are gone before it matters.
async fn accepted(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let pages = shared.book.open();
    let mine = pages.clients.values().filter(|it| it.copy_of.is_none()).map(|it| &it.registration);
    let mine: Vec<_> = mine.filter(|it| narrow.is_integration(&it.integration)).collect();
    let accepted = Accepted {
        keys: mine.iter().flat_map(|it| it.keys.iter().cloned()).collect(),
        secrets: mine
            .iter()
            .flat_map(|it| it.secret_sha256.iter().chain(&it.extras.secrets))
            .copied()
            .collect(),
    };
    Ok(Json(accepted).into_response())
}

async fn audit(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let since = narrow.since()?;
    let pages = shared.book.open();
    let is_asked = |client: Option<&str>| {
        narrow.client.is_none() || client.is_some_and(|it| narrow.is_client(it))
    };
    lines(
        pages.logs.audit.iter().filter(|it| since <= it.time && is_asked(it.client_id.as_deref())),
    )
}

async fn alerts(
    State(shared): State<Arc<Shared>>,
    Query(narrow): Query<Narrow>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let pages = shared.book.open();
    let mine = pages.logs.alerts.iter().filter(|it| narrow.is_integration(&it.0));
    Ok(Json(mine.map(|it| &it.1).collect::<Vec<_>>()).into_response())
}

/// Whether the gate in front of a path is shut: asked as the path itself would ask, and nothing is done.
/// A path that carries a token or an event has no address of its own to knock at.
async fn door(
    State(shared): State<Arc<Shared>>,
    Path((integration, kind, subject)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    reader(&shared, &headers)?;
    let kind = PathKind::from_word(&kind).ok_or(Problem::not_found())?;
    let is_client = matches!(kind, PathKind::TokenMint | PathKind::TokenUse);
    let mut call = Call::new(kind, if is_client { subject.clone() } else { integration });
    call.subject = Some(subject);
    Err(match shared.ask(&call) {
        // There is no call yet that could lie outside of something: only whether it stands.
        reason @ (Reason::Lapsed
        | Reason::Revoked
        | Reason::Stale
        | Reason::Suspended
        | Reason::Uncertified) => Problem::denied(reason),
        _ => Problem::unauthorized("no-credential"),
    })
}

fn lines<'a, T: Serialize + 'a>(items: impl Iterator<Item = &'a T>) -> Result<Response, Problem> {
    let mut body = Vec::new();
    for item in items {
        serde_json::to_writer(&mut body, item).map_err(|_| Problem::internal())?;
        body.push(b'\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}
