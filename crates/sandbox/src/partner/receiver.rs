//! A partner's receiver of events, and the feed of what they led to.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use countersign_seal::scheme::standard_webhooks::{
    Headers, ID, Key, SIGNATURE, TIMESTAMP, WebhookError, verify,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::{Fault, Faults};
use super::{Inner, is_ours};
use crate::clock;
use crate::ring::Ring;

/// What a message led to.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Effect {
    time: Timestamp,
    id: String,
    effect: String,
}

/// What the receivers of a partner remember; a copy is the same memory.
#[derive(Debug, Clone)]
pub(crate) struct Received(Arc<Mutex<Memory>>);

#[derive(Debug)]
struct Memory {
    seen: BTreeSet<String>,
    order: VecDeque<String>,
    effects: Ring<Effect>,
    version: u64,
}

impl Default for Received {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Memory {
            seen: BTreeSet::new(),
            order: VecDeque::new(),
            effects: Ring::new(EFFECTS_MAX),
            version: 0,
        })))
    }
}

impl Received {
    /// Acts on a message, once; says whether it did.
    fn apply(&self, id: &str, effect: &str, faults: &Faults) -> bool {
        self.act(id, effect, faults.has(Fault::AppliesReplayTwice))
    }

    /// Acts on a message, once, or each time that it comes; says whether it did.
    pub(crate) fn act(&self, id: &str, effect: &str, each_time: bool) -> bool {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = memory.seen.insert(id.to_owned());
        if is_new {
            memory.order.push_back(id.to_owned());
            if SEEN_MAX < memory.order.len()
                && let Some(oldest) = memory.order.pop_front()
            {
                memory.seen.remove(&oldest);
            }
        } else if !each_time {
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
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let given = Headers { id: text(ID), timestamp: text(TIMESTAMP), signature: text(SIGNATURE) };
    let now = clock::now().seconds();
    if !is_accepted(given, &body, &inner.event_keys, now, inner.tolerance_seconds, &inner.faults) {
        return refuse(StatusCode::UNAUTHORIZED, "signature-refused");
    }
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "not-json");
    };
    let Some(kind) = message.get("type").and_then(Value::as_str) else {
        return refuse(StatusCode::BAD_REQUEST, "no-type");
    };
    let id = given.id.map_or_else(|| Digest::of(&body).hex(), str::to_owned);
    let did = inner.received.apply(&id, kind, &inner.faults);
    Json(json!({"status": if did { "applied" } else { "duplicate" }})).into_response()
}

fn refuse(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({"status": "refused", "code": code}))).into_response()
}

/// Whether the receiver believes a message: rightly so, or by one of its faults.
fn is_accepted(
    given: Headers<'_>,
    body: &[u8],
    keys: &[Key],
    now: i64,
    tolerance: i64,
    faults: &Faults,
) -> bool {
    let error = match verify(given, body, keys, now, tolerance) {
        Ok(()) => return true,
        Err(error) => error,
    };
    let sent = given.timestamp.and_then(|it| it.parse::<i64>().ok());
    let at_its_own_time = |sent: i64| verify(given, body, keys, sent, tolerance).is_ok();
    if given.signature.is_none() || given.signature == Some("") {
        return faults.has(Fault::AcceptsUnsignedWebhook);
    }
    match (&error, sent) {
        (WebhookError::TooOld, Some(sent)) if faults.has(Fault::AcceptsStaleTimestamp) => {
            return at_its_own_time(sent);
        }
        (WebhookError::TooNew, Some(sent)) if faults.has(Fault::AcceptsFutureTimestamp) => {
            return at_its_own_time(sent);
        }
        (WebhookError::TooNew | WebhookError::TooOld, _) => return false,
        _ => {}
    }
    if faults.has(Fault::AcceptsWrongKey) && given.signature.is_some_and(is_well_formed) {
        return true;
    }
    if faults.has(Fault::AcceptsTamperedBody)
        && rewritten(body).is_some_and(|it| verify(given, &it, keys, now, tolerance).is_ok())
    {
        return true;
    }
    faults.has(Fault::TimestampNotSigned) && is_signed_at_another_time(given, body, keys, now)
}

/// Some entry reads as an Ed25519 signature.
fn is_well_formed(signature: &str) -> bool {
    signature
        .split(' ')
        .filter_map(|it| it.strip_prefix("v1a,"))
        .any(|it| STANDARD.decode(it).is_ok_and(|it| it.len() == 64))
}

/// The body as the receiver itself would write it.
fn rewritten(body: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    serde_json::to_vec(&value).ok()
}

/// The signature fits the message with some other time within a quarter of an hour.
fn is_signed_at_another_time(given: Headers<'_>, body: &[u8], keys: &[Key], now: i64) -> bool {
    (now - TRIED_SECONDS..=now + TRIED_SECONDS).any(|time| {
        let time_text = time.to_string();
        let moved = Headers { timestamp: Some(&time_text), ..given };
        verify(moved, body, keys, time, 0).is_ok()
    })
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
const TRIED_SECONDS: i64 = 900;
