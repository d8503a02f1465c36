//! What administrators change: two tokens, one that reads and one that kills.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, post, put};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::enforce::snapshot::Lane;
use countersign_seal::{Digest, SigningKey};
use serde_json::{Value, json};

use super::book::Client;
use super::inventory::since;
use super::logs::PushedLine;
use super::problem::Problem;
use super::staff::{Changed, killer};
use super::{Shared, api, client, events, front};
use crate::registration::{ClientRegistration, SubscriptionRegistration};
use crate::{AccessFault, clock, entropy};

/// What administrators are answered.
pub(super) type Answer = Result<Response, Problem>;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/clients/{client}", put(put_client).merge(delete(delete_client)))
        .route("/admin/clients/{client}/keys", put(put_keys))
        .route("/admin/clients/{client}/{action}", post(change_client))
        .route("/admin/redirects/{client}/{action}", post(change_redirects))
        .route("/admin/subscriptions/{integration}/{id}", put(put_subscription))
        .route("/admin/subscriptions/{integration}/{id}/{action}", post(change_subscription))
        .route("/admin/registration-token", post(invite))
        .route("/admin/front-copies/{client}", post(copy_front))
        .route("/admin/events", post(emit))
        .route("/admin/log-intake/{integration}", post(intake))
}

/// It is done.
pub(super) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

async fn put_client(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(it): Json<ClientRegistration>,
) -> Answer {
    let who = killer(&shared, &headers)?;
    if it.client_id != id {
        return Err(Problem::invalid("another-client"));
    }
    client::check(&it).map_err(|_| Problem::invalid("registration-refused"))?;
    shared.book.put_client(it, clock::now());
    who.did(&shared, "register-client", Changed::Client(&id));
    Ok(done())
}

async fn delete_client(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let who = killer(&shared, &headers)?;
    let ghost = shared.book.open().ghost(&id);
    if !shared.book.remove_client(&id) {
        return Err(Problem::not_found());
    }
    if let Some(ghost) = ghost {
        tokio::spawn(async move {
            tokio::time::sleep(ghost.after).await;
            shared.book.open().bring_back(id, ghost);
        });
        return Ok(done());
    }
    who.did(&shared, "delete-client", Changed::Client(&id));
    Ok(done())
}

async fn change_client(
    State(shared): State<Arc<Shared>>,
    Path((id, action)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let who = killer(&shared, &headers)?;
    let answer = if action == "copy" {
        copy(&shared, &id, &body)?
    } else {
        let mut pages = shared.book.open();
        let found = pages.clients.get_mut(&id).ok_or(Problem::not_found())?;
        match action.as_str() {
            "disable" => found.enabled = false,
            "enable" => found.enabled = true,
            "revoke-tokens" if found.keeps_revoked_tokens() => {}
            "revoke-tokens" => {
                pages.replicate(&id);
                pages.kill_tokens(&id);
            }
            _ => return Err(Problem::not_found()),
        }
        StatusCode::NO_CONTENT.into_response()
    };
    who.did(&shared, &format!("{action}-client"), Changed::Client(&id));
    Ok(answer)
}

/// The keys of a client, as a JWK set.
#[derive(Debug, serde::Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// Other keys in the place of those that are registered. Two of them are an overlap.
async fn put_keys(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(mut set): Json<KeySet>,
) -> Answer {
    let who = killer(&shared, &headers)?;
    if KEYS_MAX < set.keys.len() {
        return Err(Problem::invalid("too-many-keys"));
    }
    {
        let mut pages = shared.book.open();
        let found = pages.clients.get_mut(&id).ok_or(Problem::not_found())?;
        if found.registration.auth != "private_key_jwt" {
            return Err(Problem::invalid("no-keys-here"));
        }
        let before = &found.registration.keys;
        if found.has(AccessFault::KeepsOldKeys) {
            let gone = before.iter().filter(|it| !set.keys.contains(it)).cloned();
            let gone: Vec<Value> = gone.collect();
            set.keys.extend(gone);
        }
        if found.has(AccessFault::ForgetsOldKeyAtOnce) && before.len() < set.keys.len() {
            set.keys.retain(|it| !before.contains(it));
        }
        let next =
            ClientRegistration { keys: set.keys, jwks_uri: None, ..found.registration.clone() };
        client::check(&next).map_err(|_| Problem::invalid("registration-refused"))?;
        found.since = since(Some(found), &next, clock::now());
        found.registration = next;
    }
    who.did(&shared, "replace-keys-of-client", Changed::Client(&id));
    Ok(done())
}

/// A throw-away copy with a key pair of its own; the private half is handed out once.
fn copy(shared: &Shared, id: &str, terms: &Bytes) -> Answer {
    let internal = |_| Problem::internal();
    let terms = Terms::read(terms)?;
    let seed = entropy::random::<32>().map_err(internal)?;
    let key = SigningKey::from_seed(seed);
    let name = format!("{id}.copy-{}", entropy::suffix().map_err(internal)?);
    let mut pages = shared.book.open();
    let original = pages.clients.get(id).ok_or(Problem::not_found())?.clone();
    if original.copy_of.is_some() {
        return Err(Problem::invalid("copy-of-a-copy"));
    }
    if COPIES_MAX <= pages.copies.len()
        && let Some(oldest) = pages.copies.pop_front()
    {
        pages.kill_tokens(&oldest);
        pages.clients.remove(&oldest);
    }
    let registration = ClientRegistration {
        client_id: name.clone(),
        auth: "private_key_jwt".to_owned(),
        keys: vec![key.public().to_jwk()],
        jwks_uri: None,
        secret_sha256: None,
        extras: original.registration.extras.of_a_copy(),
        token_ttl_seconds: terms.life(&original.registration),
        max_per_hour: terms.ceiling(&original.registration),
        ..original.registration
    };
    let copy = Client {
        registration,
        enabled: true,
        created_at: clock::now(),
        copy_of: Some(id.to_owned()),
        redirects_removed: original.redirects_removed,
        since: BTreeMap::new(),
        last_used: None,
    };
    pages.copies.push_back(name.clone());
    pages.clients.insert(name.clone(), copy);
    let body = json!({"client_id": name, "seed": URL_SAFE_NO_PAD.encode(seed)});
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// The terms of a copy: never wider than the original's.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    token_ttl_seconds: Option<u64>,
    max_per_hour: Option<u32>,
}

impl Terms {
    fn read(body: &Bytes) -> Result<Self, Problem> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(body).map_err(|_| Problem::invalid("no-terms"))
    }

    fn life(&self, original: &ClientRegistration) -> u64 {
        let most = original.token_ttl_seconds;
        self.token_ttl_seconds.map_or(most, |it| it.clamp(1, most))
    }

    fn ceiling(&self, original: &ClientRegistration) -> Option<u32> {
        match (self.max_per_hour, original.max_per_hour) {
            (Some(asked), Some(most)) => Some(asked.min(most)),
            (asked, most) => asked.or(most),
        }
    }
}

async fn change_redirects(
    State(shared): State<Arc<Shared>>,
    Path((id, action)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let who = killer(&shared, &headers)?;
    {
        let mut pages = shared.book.open();
        let found = pages.clients.get_mut(&id).ok_or(Problem::not_found())?;
        let (from, to) = match action.as_str() {
            "remove" => (&mut found.registration.redirects, &mut found.redirects_removed),
            "restore" => (&mut found.redirects_removed, &mut found.registration.redirects),
            _ => return Err(Problem::not_found()),
        };
        to.append(from);
    }
    who.did(&shared, &format!("{action}-redirects"), Changed::Client(&id));
    Ok(done())
}

async fn put_subscription(
    State(shared): State<Arc<Shared>>,
    Path((integration, id)): Path<(String, String)>,
    headers: HeaderMap,
    Json(it): Json<SubscriptionRegistration>,
) -> Answer {
    let who = killer(&shared, &headers)?;
    if it.id != id {
        return Err(Problem::invalid("another-subscription"));
    }
    shared.book.put_subscription(&integration, it);
    who.did(&shared, "register-subscription", Changed::Other(&id));
    Ok(done())
}

/// When disabling has answered, nothing is on its way any more.
async fn change_subscription(
    State(shared): State<Arc<Shared>>,
    Path((integration, id, action)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let who = killer(&shared, &headers)?;
    let key = (integration, id);
    {
        let mut pages = shared.book.open();
        let found = pages.subscriptions.get_mut(&key).ok_or(Problem::not_found())?;
        match action.as_str() {
            "disable" => {
                found.enabled = false;
                if found.registration.drop_queued {
                    found.queue.clear();
                }
            }
            "enable" => found.enabled = true,
            "purge" => found.queue.clear(),
            _ => return Err(Problem::not_found()),
        }
    }
    shared.events.notify_one();
    if action != "enable" {
        events::settle(&shared, &key).await;
        // What was on its way may have failed and been queued again meanwhile.
        let mut pages = shared.book.open();
        if let Some(found) = pages.subscriptions.get_mut(&key)
            && (action == "purge" || found.registration.drop_queued)
        {
            found.queue.clear();
        }
    }
    who.did(&shared, &format!("{action}-subscription"), Changed::Other(&key.1));
    Ok(done())
}

/// A token with which clients may register themselves: a test tenant's only.
async fn invite(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Answer {
    let who = killer(&shared, &headers)?;
    if shared.lane != Lane::Trial {
        return Err(Problem::new(StatusCode::FORBIDDEN, "not-here"));
    }
    let body = json!({ "token": front::invite(&shared)? });
    who.did(&shared, "invite-registration", Changed::Other("registration"));
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// A copy whose front channel is as a check wishes.
async fn copy_front(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let who = killer(&shared, &headers)?;
    let answer = front::copy(&shared, &id, &body)?;
    who.did(&shared, "copy-client", Changed::Client(&id));
    Ok(answer)
}

#[derive(Debug, serde::Deserialize)]
struct Emitted {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

async fn emit(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(it): Json<Emitted>,
) -> Answer {
    killer(&shared, &headers)?;
    let id = events::emit(&shared, &it.kind, &it.data).map_err(|_| Problem::internal())?;
    Ok((StatusCode::ACCEPTED, Json(json!({"id": id}))).into_response())
}

/// A partner's own log, as JSON lines, under the token that was given to it for this.
async fn intake(
    State(shared): State<Arc<Shared>>,
    Path(integration): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let token = api::text(&headers).map(|it| Digest::of(it.as_bytes()));
    let mut pages = shared.book.open();
    let owner = token.and_then(|it| pages.intakes.get(&it));
    if owner != Some(&integration) {
        return Err(Problem::unauthorized("unknown-caller"));
    }
    let mut lines = Vec::new();
    for line in body.split(|it| *it == b'\n').filter(|it| !it.trim_ascii().is_empty()) {
        let line: Value = serde_json::from_slice(line)
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "not-json-lines"))?;
        lines.push(PushedLine { integration: integration.clone(), line });
    }
    let taken = lines.len();
    for line in lines {
        pages.logs.pushed.push(line);
    }
    drop(pages);
    if shared.lane == Lane::Trial {
        tracing::debug!(%integration, taken, "a partner pushed its log");
    }
    Ok((StatusCode::ACCEPTED, Json(json!({"taken": taken}))).into_response())
}

pub(super) const COPIES_MAX: usize = 200;
/// How many keys a client may have at once.
const KEYS_MAX: usize = 10;
