//! A partner's receiver of events, and the feed of what they led to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use countersign_seal::scheme::{Arrived, Place};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::Fault;
use super::hook::{Hook, IsPublic};
use super::{HookFault, Inner, is_ours, lenient};
use crate::clock;
use crate::ring::Ring;

/// What a message led to.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Effect {
    time: Timestamp,
    id: String,
    effect: String,
}

/// How often a message may have its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    EachTime,
    Once,
    /// Once, until it is forgotten.
    OnceWithin(Duration),
}

/// What the receivers of a partner remember; a copy is the same memory.
#[derive(Debug, Clone)]
pub(crate) struct Received(Arc<Mutex<Memory>>);

#[derive(Debug)]
struct Memory {
    /// When each mark was first seen.
    seen: BTreeMap<String, Instant>,
    order: VecDeque<String>,
    effects: Ring<Effect>,
    version: u64,
}

impl Default for Received {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Memory {
            seen: BTreeMap::new(),
            order: VecDeque::new(),
            effects: Ring::new(EFFECTS_MAX),
            version: 0,
        })))
    }
}

impl Received {
    /// Acts on a message, once, or each time that it comes; says whether it did.
    pub(crate) fn act(&self, id: &str, effect: &str, each_time: bool) -> bool {
        let wants = if each_time { Wants::EachTime } else { Wants::Once };
        self.apply(id, &[id.to_owned()], effect, wants)
    }

    /// Acts on a message, unless one of its marks is remembered; says whether it did.
    fn apply(&self, id: &str, marks: &[String], effect: &str, wants: Wants) -> bool {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::steady();
        let mut is_new = true;
        for mark in marks {
            if let Some(first) = memory.seen.get_mut(mark) {
                match wants {
                    Wants::OnceWithin(limit) if limit < now.saturating_duration_since(*first) => {
                        *first = now;
                    }
                    _ => is_new = false,
                }
                continue;
            }
            memory.seen.insert(mark.clone(), now);
            memory.order.push_back(mark.clone());
            if SEEN_MAX < memory.order.len()
                && let Some(oldest) = memory.order.pop_front()
            {
                memory.seen.remove(&oldest);
            }
        }
        if !is_new && wants != Wants::EachTime {
            return false;
        }
        memory.version += 1;
        let (id, effect) = (id.to_owned(), effect.to_owned());
        memory.effects.push(Effect { time: clock::now(), id, effect });
        true
    }

    fn since(&self, since: Timestamp) -> Vec<Effect> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.effects.iter().filter(|it| since <= it.time).cloned().collect()
    }
}

/// `POST` of a signed event.
pub(super) async fn receive(
    State(inner): State<Arc<Inner>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(hook) = at(&inner, uri.path()) else {
        return refuse(StatusCode::NOT_FOUND, "no-such-endpoint");
    };
    let texts = headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let headers: Vec<(String, String)> = texts.collect();
    let given = Arrived { method: "POST", url: &hook.url, headers: &headers, body: &body };
    if let Some(harm) = lenient::harmed(hook, &given, &inner.faults).await {
        return refuse(harm, "broken");
    }
    if !lenient::is_accepted(&inner, hook, &given) {
        return refuse(StatusCode::UNAUTHORIZED, "signature-refused");
    }
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "not-json");
    };
    let Some(kind) = message.get("type").and_then(Value::as_str) else {
        return refuse(StatusCode::BAD_REQUEST, "no-type");
    };
    let digest = Digest::of(&body).hex();
    let facts = hook.scheme.facts();
    let id = match facts.id {
        Place::Body(name) => message.get(name).and_then(Value::as_str),
        Place::Header(name) => headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str()),
    };
    let id = id.unwrap_or(&digest);
    // Whoever may change the id may change it for every repetition. Each endpoint has ids of its own.
    let mark = |it: &str| format!("{} {it}", hook.subscription);
    let mut marks = vec![mark(id)];
    if !facts.id_signed {
        marks.push(mark(&digest));
    }
    let window = u64::try_from(hook.tolerance_seconds).unwrap_or(0);
    let wants = if inner.faults.has(Fault::AppliesReplayTwice) {
        Wants::EachTime
    } else if inner.faults.has(Fault::Hook(HookFault::ForgetsWebhookIds)) {
        Wants::OnceWithin(Duration::from_secs(window) / 2)
    } else {
        Wants::Once
    };
    let did = inner.received.apply(id, &marks, kind, wants);
    Json(json!({"status": if did { "applied" } else { "duplicate" }})).into_response()
}

/// The endpoint at this path.
fn at<'a>(inner: &'a Inner, path: &str) -> Option<&'a Hook> {
    let of = |url: &str| url.split_once("://")?.1.split_once('/').map(|it| format!("/{}", it.1));
    inner.hooks.iter().find(|it| of(&it.url).as_deref() == Some(path))
}

/// `PUT` of the key with which events will be signed next.
pub(super) async fn next_key(
    State(inner): State<Arc<Inner>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if !is_ours(&inner, &headers) {
        return refuse(StatusCode::UNAUTHORIZED, "unknown-caller");
    }
    let Some(hook) = uri.path().strip_suffix("/key").and_then(|it| at(&inner, it)) else {
        return refuse(StatusCode::NOT_FOUND, "no-such-endpoint");
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let key = match (text("secret"), text("public_key")) {
        (Some(secret), None) => hook.read(secret, IsPublic::No, &inner.faults),
        (None, Some(key)) => hook.read(key, IsPublic::Yes, &inner.faults),
        _ => None,
    };
    let Some(key) = key else { return refuse(StatusCode::UNPROCESSABLE_ENTITY, "weak-key") };
    hook.replace(key, clock::now(), &inner.faults);
    Json(json!({"status": "taken"})).into_response()
}

fn refuse(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({"status": "refused", "code": code}))).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct Since {
    since: Option<String>,
}

/// `GET ?since=`: what happened, as JSON lines.
pub(super) async fn effects(
    State(inner): State<Arc<Inner>>,
    Query(query): Query<Since>,
    headers: HeaderMap,
) -> Response {
    if !is_ours(&inner, &headers) {
        return refuse(StatusCode::UNAUTHORIZED, "unknown-caller");
    }
    let since = match query.since.as_deref().map(moment) {
        None => Timestamp::from_millis(i64::MIN),
        Some(Some(since)) => since,
        Some(None) => return refuse(StatusCode::BAD_REQUEST, "since-is-not-a-moment"),
    };
    let mut body = String::new();
    for effect in inner.received.since(since) {
        if let Ok(line) = serde_json::to_string(&effect) {
            body.push_str(&line);
            body.push('\n');
        }
    }
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

/// `GET`: the object that every event changes, as a partner without a feed would show it.
pub(super) async fn object(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    if !is_ours(&inner, &headers) {
        return refuse(StatusCode::UNAUTHORIZED, "unknown-caller");
    }
    let memory = inner.received.0.lock().unwrap_or_else(PoisonError::into_inner);
    let state = memory.effects.iter().last().map(|it| it.effect.clone());
    Json(json!({"state": state, "version": memory.version})).into_response()
}

/// RFC 3339, or seconds since 1970.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    text.parse::<i64>().map_or_else(|_| text.parse().ok(), |it| Some(Timestamp::from_seconds(it)))
}

const SEEN_MAX: usize = 10_000;
const EFFECTS_MAX: usize = 10_000;
