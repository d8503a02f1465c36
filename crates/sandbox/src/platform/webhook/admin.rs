//! What administrators do to webhooks: register, copy and delete them, take their key away and give it back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{delete, post, put};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_seal::SigningKey;
use countersign_seal::scheme::standard_webhooks::public_key_text;
use serde_json::{Value, json};

use super::known::{Unusable, Webhook};
use crate::entropy;
use crate::platform::admin::{Answer, COPIES_MAX, done};
use crate::platform::problem::Problem;
use crate::platform::staff::{Administrator, Changed, killer};
use crate::platform::{Shared, ghost};
use crate::registration::{CallerKey, WebhookRegistration};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/webhooks/{integration}/{id}", put(put_webhook).merge(delete(delete_webhook)))
        .route("/admin/webhooks/{integration}/{id}/{action}", post(change_webhook))
}

async fn put_webhook(
    State(shared): State<Arc<Shared>>,
    Path((integration, id)): Path<(String, String)>,
    headers: HeaderMap,
    Json(it): Json<WebhookRegistration>,
) -> Answer {
    let who = killer(&shared, &headers)?;
    if it.id != id {
        return Err(Problem::invalid("another-webhook"));
    }
    shared.book.put_webhook(&integration, Webhook::new(it).map_err(unusable)?);
    who.did(&shared, "register-webhook", Changed::Other(&id));
    Ok(done())
}

async fn change_webhook(
    State(shared): State<Arc<Shared>>,
    Path((integration, id, action)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let who = killer(&shared, &headers)?;
    if action == "copy" {
        return copy_webhook(&shared, &who, (integration, id));
    }
    {
        let mut pages = shared.book.open();
        let found = pages.webhooks.get_mut(&(integration, id.clone()));
        let found = found.ok_or(Problem::not_found())?;
        match action.as_str() {
            "remove-key" => found.has_key = false,
            "restore-key" => found.has_key = true,
            _ => return Err(Problem::not_found()),
        }
    }
    who.did(&shared, &action, Changed::Other(&id));
    Ok(done())
}

/// A throw-away copy with a key of its own, which is handed out once: of the scheme and the kind of
/// key of its original.
fn copy_webhook(shared: &Shared, who: &Administrator, key: (String, String)) -> Answer {
    let internal = |_| Problem::internal();
    let bytes = entropy::random::<32>().map_err(internal)?;
    let name = format!("{}.copy-{}", key.1, entropy::suffix().map_err(internal)?);
    let mut pages = shared.book.open();
    let original = pages.webhooks.get(&key).ok_or(Problem::not_found())?.clone();
    if original.copy_of.is_some() {
        return Err(Problem::invalid("copy-of-a-copy"));
    }
    if COPIES_MAX <= pages.webhooks.values().filter(|it| it.copy_of.is_some()).count() {
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-copies"));
    }
    let (known, mut body) = own_key(&original, bytes);
    body["id"] = name.clone().into();
    body["path"] = original.path().into();
    body["scheme"] = original.scheme.name().into();
    let registration =
        WebhookRegistration { id: name.clone(), keys: vec![known], ..original.registration };
    let (integration, id) = key;
    let mut copy = Webhook::new(registration).map_err(unusable)?;
    copy.copy_of = Some(id.clone());
    pages.webhooks.insert((integration, name), copy);
    drop(pages);
    who.did(shared, "copy-webhook", Changed::Other(&id));
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// A new key of the same kind: what the platform keeps of it, and what it hands out.
fn own_key(original: &Webhook, bytes: [u8; 32]) -> (CallerKey, Value) {
    if let Some(CallerKey::Public(_)) = original.registration.keys.first() {
        let public = public_key_text(&SigningKey::from_seed(bytes).public());
        return (CallerKey::Public(public), json!({ "seed": URL_SAFE_NO_PAD.encode(bytes) }));
    }
    let secret = original.scheme.write_secret(&bytes).to_string();
    let body = json!({ "secret": secret });
    (CallerKey::Secret(secret), body)
}

fn unusable(it: Unusable) -> Problem {
    Problem::invalid(&it.to_string())
}

async fn delete_webhook(
    State(shared): State<Arc<Shared>>,
    Path((integration, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let who = killer(&shared, &headers)?;
    let key = (integration, id.clone());
    let is_ghost = {
        let mut pages = shared.book.open();
        let found = pages.webhooks.remove(&key).ok_or(Problem::not_found())?;
        let is_ghost = pages.brings_back(&key.0, &found);
        pages.retire(key.clone(), found);
        is_ghost
    };
    if is_ghost {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            tokio::time::sleep(ghost::SOON).await;
            shared.book.open().take_back(key);
        });
    }
    who.did(&shared, "delete-webhook", Changed::Other(&id));
    Ok(done())
}
