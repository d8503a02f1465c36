//! A sender of webhooks that anybody may register an address with, at a test build.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use url::{Host, Url};

use super::Setting;
use crate::outbound::{Outbound, Trust};
use crate::partner::{Caller, Fault, Faults, SenderFault};
use crate::{Net, StartError, clock, entropy};

/// The sender of Meridian.
pub(super) fn meridian(setting: &Arc<Setting>) -> Result<Router, StartError> {
    router(setting.callers.first(), &setting.faults, &setting.net)
}

/// A sender that signs as this caller does.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(
    caller: Option<&Caller>,
    faults: &Faults,
    net: &Net,
) -> Result<Router<S>, StartError> {
    let sender = Sender {
        caller: caller.cloned(),
        faults: faults.clone(),
        resolve: net.resolve.clone(),
        outbound: Outbound::new(net)?,
        targets: Mutex::default(),
    };
    Ok(Router::new()
        .route("/hooks", post(register))
        .route("/hooks/{id}", delete(unregister))
        .route("/hooks/test", post(trigger))
        .with_state(Arc::new(sender)))
}

#[derive(Debug)]
struct Sender {
    /// How its messages are signed.
    caller: Option<Caller>,
    faults: Faults,
    resolve: BTreeMap<String, SocketAddr>,
    outbound: Outbound,
    targets: Mutex<BTreeMap<String, Url>>,
}

#[derive(Debug, Deserialize)]
struct Registration {
    url: String,
}

async fn register(State(sender): State<Arc<Sender>>, Json(asked): Json<Registration>) -> Response {
    let refused = |why: &str| {
        (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": why }))).into_response()
    };
    let Ok(url) = Url::parse(&asked.url) else { return refused("not an address") };
    if url.scheme() != "https" && !sender.has(SenderFault::DeliversInTheClear) {
        return refused("only https");
    }
    if sender.is_inward(&url) {
        return refused("not a public address");
    }
    let Ok(id) = entropy::suffix() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut targets = sender.targets.lock().unwrap_or_else(PoisonError::into_inner);
    if TARGETS_MAX <= targets.len() {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    targets.insert(id.clone(), url);
    (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
}

async fn unregister(State(sender): State<Arc<Sender>>, Path(id): Path<String>) -> StatusCode {
    let mut targets = sender.targets.lock().unwrap_or_else(PoisonError::into_inner);
    targets.remove(&id).map_or(StatusCode::NOT_FOUND, |_| StatusCode::NO_CONTENT)
}

/// Delivers one message to every registered address.
async fn trigger(State(sender): State<Arc<Sender>>) -> StatusCode {
    let targets = sender.targets.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (id, url) in targets {
        tokio::spawn(deliver(Arc::clone(&sender), id, url));
    }
    StatusCode::ACCEPTED
}

/// Tries until it is delivered, or gone, or tried often enough; later and later.
async fn deliver(sender: Arc<Sender>, id: String, url: Url) {
    // A message keeps its id, however often it is tried.
    let Ok(message) = entropy::suffix() else { return };
    for attempt in 0..ATTEMPTS_MAX {
        let is_known = {
            let targets = sender.targets.lock().unwrap_or_else(PoisonError::into_inner);
            targets.contains_key(&id)
        };
        // What a name means may have changed since it was registered.
        if !is_known || sender.is_inward(&url) {
            return;
        }
        let answer = sender.send(&url, &message).await;
        let status = answer.as_ref().map(|it| it.0);
        match status {
            Some(200..300) => return,
            Some(410) if !sender.has(SenderFault::KeepsGoneReceivers) => {
                let mut targets = sender.targets.lock().unwrap_or_else(PoisonError::into_inner);
                targets.remove(&id);
                return;
            }
            _ => {}
        }
        let asked = answer.and_then(|it| it.1).map_or(Duration::ZERO, Duration::from_secs);
        tokio::time::sleep(sender.pause(attempt, asked)).await;
    }
}

impl Sender {
    fn has(&self, fault: SenderFault) -> bool {
        self.faults.has(Fault::Sender(fault))
    }

    fn trust(&self) -> Trust {
        if self.has(SenderFault::IgnoresCertificates) {
            Trust::SkipsCertificates
        } else if self.has(SenderFault::IgnoresRevocation) {
            Trust::SkipsRevocation
        } else if self.has(SenderFault::FallsBackToOldTls) {
            Trust::FallsBack
        } else {
            Trust::Careful
        }
    }

    /// Sends one message with its signature; the status, and the seconds that are asked for.
    async fn send(&self, url: &Url, message: &str) -> Option<(u16, Option<u64>)> {
        let caller = self.caller.as_ref()?;
        let mut url = url.clone();
        for _ in 0..HOPS_MAX {
            let said = (&*format!("msg_{message}"), json!({ "type": "ticket.updated" }));
            let sealed = caller.sealed(url.as_str(), said, (clock::now(), &self.faults)).ok()?;
            let build = |client: &reqwest::Client| {
                let request =
                    client.post(url.clone()).header("content-type", caller.content_type());
                let headers = sealed.headers.iter();
                let request = headers.fold(request, |it, (name, value)| it.header(name, value));
                request.body(sealed.body.clone())
            };
            let answer = self.outbound.send(self.trust(), &url, build).await?;
            let header = |name| answer.headers().get(name)?.to_str().ok();
            let follows = self.has(SenderFault::FollowsRedirects);
            if follows && answer.status().is_redirection() {
                url = url.join(header("location")?).ok()?;
                continue;
            }
            let later = header("retry-after").and_then(|it| it.parse().ok());
            return Some((answer.status().as_u16(), later));
        }
        None
    }

    /// How long to wait after an attempt: twice as long each time, with chance, and as long as is asked.
    fn pause(&self, attempt: u32, asked: Duration) -> Duration {
        if self.has(SenderFault::HammersReceivers) {
            return RETRY_EVERY / 3;
        }
        let steps = RETRY_EVERY * 2_u32.saturating_pow(attempt);
        let chance = entropy::random::<1>().map_or(0, |it| u32::from(it[0]));
        let jitter = RETRY_EVERY * chance / 1_000;
        steps.max(asked) + jitter
    }

    /// Whether an address leads inward. What has a name and a port of its own in the sandbox stands
    /// for the public internet; everything else is inward.
    fn is_inward(&self, url: &Url) -> bool {
        if self.has(SenderFault::DeliversInward) {
            return false;
        }
        match url.host() {
            Some(Host::Domain(name)) => {
                !self.has(SenderFault::DeliversToInwardNames) && self.leads_inward(name)
            }
            _ => true,
        }
    }

    fn leads_inward(&self, name: &str) -> bool {
        self.resolve.get(name).is_none_or(|it| it.port() == 0)
    }
}

const ATTEMPTS_MAX: u32 = 8;
const HOPS_MAX: usize = 4;
const RETRY_EVERY: Duration = Duration::from_millis(150);
const TARGETS_MAX: usize = 1_000;
