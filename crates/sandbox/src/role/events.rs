//! Meridian's receiver of security events, and a canary whose access they can end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use countersign_seal::Digest;
use countersign_seal::jwt::{Expect, VerifyingKey, parse_set, unverified_header, verify};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Setting;
use crate::partner::Fault;
use crate::{StartError, entropy};

/// Ways in which this receiver can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetFault {
    /// It takes events of other transmitters and for other receivers.
    AcceptsMisaddressedEvent,
    /// It takes events of any media type.
    AcceptsAnyMediaType,
    /// It takes events from whoever pushes them.
    AcceptsStranger,
    /// It takes events whose signature it did not verify.
    AcceptsUnsignedEvent,
    /// It acknowledges with 200 and a body.
    AcknowledgesWithBody,
    /// It believes an event that is older than what it knows.
    BelievesOldEvents,
    /// It does not end keys.
    KeepsRevokedKey,
    /// It does not end sessions.
    KeepsRevokedSession,
    /// It acts on an event each time that it comes.
    RepeatsEvents,
    /// Its API takes a signed event for an access token.
    TakesEventsForTokens,
    /// Its receiver takes an access token for an event.
    TakesTokensForEvents,
}

/// What a refusal says (RFC 8935, section 2.4).
type Refusal = (StatusCode, &'static str);

/// The audience of the events that it takes.
const AUDIENCE: &str = "https://events.meridian.example";
/// Its host.
pub(super) const HOST: &str = "events.meridian.example";

struct Receiver {
    setting: Arc<Setting>,
    http: reqwest::Client,
    keys: tokio::sync::Mutex<Cache>,
    subjects: Mutex<BTreeMap<String, Subject>>,
}

#[derive(Default)]
struct Cache {
    keys: Vec<VerifyingKey>,
    fetched: Option<Instant>,
}

/// A canary.
struct Subject {
    session: Option<Digest>,
    key: Option<Digest>,
    enabled: bool,
    /// The moment of the last event about it, in seconds.
    last: i64,
}

pub(super) fn router(setting: &Arc<Setting>) -> Result<Router, StartError> {
    let receiver = Receiver {
        setting: Arc::clone(setting),
        http: setting.net.client(None)?,
        keys: tokio::sync::Mutex::default(),
        subjects: Mutex::default(),
    };
    Ok(Router::new()
        .route("/sets", post(push))
        .route("/canary", post(open))
        .route("/canary/access", get(access))
        .with_state(Arc::new(receiver)))
}

async fn push(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> Response {
    match receiver.take(&headers, &body).await {
        Ok(()) if receiver.has(SetFault::AcknowledgesWithBody) => {
            (StatusCode::OK, Json(json!({"status": "ok"}))).into_response()
        }
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err((status, err)) => (status, Json(json!({"err": err}))).into_response(),
    }
}

impl Receiver {
    fn has(&self, fault: SetFault) -> bool {
        self.setting.faults.has(Fault::Set(fault))
    }

    async fn take(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
        if bearer(headers) != Some(self.setting.api_token) && !self.has(SetFault::AcceptsStranger) {
            return Err((StatusCode::BAD_REQUEST, "authentication_failed"));
        }
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        if media_type != Some("application/secevent+jwt")
            && !self.has(SetFault::AcceptsAnyMediaType)
        {
            return Err((StatusCode::BAD_REQUEST, "invalid_request"));
        }
        let token = std::str::from_utf8(body).map_err(|_| invalid())?;
        let claims = self.claims(token).await?;
        if !self.has(SetFault::AcceptsMisaddressedEvent) {
            if claims.get("iss").and_then(Value::as_str) != Some(self.issuer().as_str()) {
                return Err((StatusCode::BAD_REQUEST, "invalid_issuer"));
            }
            if claims.get("aud").and_then(Value::as_str) != Some(AUDIENCE) {
                return Err((StatusCode::BAD_REQUEST, "invalid_audience"));
            }
        }
        self.act(&claims);
        Ok(())
    }

    fn issuer(&self) -> String {
        format!("{}/transmitter-meridian-suite", self.setting.harness)
    }

    /// The claims of a token whose signature and kind hold.
    async fn claims(&self, token: &str) -> Result<Value, Refusal> {
        if self.has(SetFault::AcceptsUnsignedEvent) {
            let claims = token.split('.').nth(1).and_then(decode).ok_or(invalid())?;
            return serde_json::from_slice(&claims).map_err(|_| invalid());
        }
        let header = unverified_header(token).map_err(|_| invalid())?;
        let keys = self.keys(header.kid.as_deref().unwrap_or_default()).await;
        let typ = (!self.has(SetFault::TakesTokensForEvents)).then_some("secevent+jwt");
        let verified = verify(token, &keys, Expect { typ, ..Expect::default() });
        verified.map(|it| it.claims).map_err(|_| (StatusCode::BAD_REQUEST, "invalid_key"))
    }

    /// The transmitter's keys; fetched anew for a name that is not known, at most every now and then.
    async fn keys(&self, kid: &str) -> Vec<VerifyingKey> {
        let mut cache = self.keys.lock().await;
        let is_known = cache.keys.iter().any(|it| it.kid() == Some(kid));
        if is_known || cache.fetched.is_some_and(|it| it.elapsed() < FETCH_EVERY) {
            return cache.keys.clone();
        }
        let url = format!("{}/jwks.json", self.issuer());
        let body = match self.http.get(url).send().await {
            Ok(it) if it.status().is_success() => it.bytes().await.unwrap_or_default(),
            _ => Bytes::new(),
        };
        if let Ok(keys) = parse_set(&body) {
            cache.keys = keys;
        }
        cache.fetched = Some(now());
        cache.keys.clone()
    }

    /// Acts on an event, once.
    fn act(&self, claims: &Value) {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let events = claims.get("events").and_then(Value::as_object);
        let event = events.and_then(|it| it.iter().next());
        let (kind, payload) = match event {
            Some((kind, payload)) => (kind.rsplit('/').next().unwrap_or(kind), payload),
            None => ("none", &Value::Null),
        };
        let each_time = self.has(SetFault::RepeatsEvents);
        if !self.setting.received.act(text("jti"), kind, each_time) {
            return;
        }
        let subject = claims.get("sub_id").and_then(|it| it.get("id")?.as_str());
        let moment = payload.get("event_timestamp").and_then(Value::as_i64).unwrap_or(0);
        let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(subject) = subject.and_then(|it| subjects.get_mut(it)) else { return };
        if moment < subject.last && !self.has(SetFault::BelievesOldEvents) {
            return;
        }
        subject.last = subject.last.max(moment);
        match kind {
            "session-revoked" if !self.has(SetFault::KeepsRevokedSession) => subject.session = None,
            "credential-change"
                if payload.get("change_type").is_some_and(|it| it == "revoke")
                    && !self.has(SetFault::KeepsRevokedKey) =>
            {
                subject.key = None;
            }
            "account-disabled" => subject.enabled = false,
            "account-enabled" => subject.enabled = true,
            _ => {}
        }
    }
}

/// Signs a new canary in.
async fn open(State(receiver): State<Arc<Receiver>>, headers: HeaderMap) -> Response {
    if bearer(&headers) != Some(receiver.setting.api_token) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (Ok(name), Ok(session), Ok(key)) = (entropy::token(), entropy::token(), entropy::token())
    else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let subject = format!("canary-{}", &Digest::of(name.as_bytes()).hex()[..16]);
    let digest = |it: &String| Some(Digest::of(it.as_bytes()));
    let made = Subject { session: digest(&session), key: digest(&key), enabled: true, last: 0 };
    let mut subjects = receiver.subjects.lock().unwrap_or_else(PoisonError::into_inner);
    if SUBJECTS_MAX <= subjects.len() {
        subjects.pop_first();
    }
    subjects.insert(subject.clone(), made);
    Json(json!({"subject": subject, "session": session, "key": key})).into_response()
}

/// What a session or a key of a canary opens.
async fn access(State(receiver): State<Arc<Receiver>>, headers: HeaderMap) -> Response {
    let given = bearer(&headers);
    let is_known = {
        let subjects = receiver.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = subjects.values().filter(|it| it.enabled);
        given.is_some() && all.any(|it| it.session == given || it.key == given)
    };
    if is_known {
        return Json(json!({"profile": "canary"})).into_response();
    }
    let text = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let token = text.and_then(|it| it.strip_prefix("Bearer "));
    if let Some(token) = token
        && receiver.has(SetFault::TakesEventsForTokens)
        && receiver.claims(token).await.is_ok()
    {
        return Json(json!({"profile": "event"})).into_response();
    }
    StatusCode::UNAUTHORIZED.into_response()
}

fn bearer(headers: &HeaderMap) -> Option<Digest> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    Some(Digest::of(given.strip_prefix("Bearer ")?.as_bytes()))
}

fn decode(part: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).ok()
}

fn invalid() -> Refusal {
    (StatusCode::BAD_REQUEST, "invalid_request")
}

#[expect(clippy::disallowed_methods, reason = "a cache needs a clock that never goes back")]
fn now() -> Instant {
    Instant::now()
}

const FETCH_EVERY: Duration = Duration::from_millis(100);
const SUBJECTS_MAX: usize = 10_000;
