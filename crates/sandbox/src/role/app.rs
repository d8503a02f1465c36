//! A partner's app in which people sign in at an authorization server: `app.meridian.example`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_seal::Digest;
use serde_json::Value;
use url::Url;

use super::Setting;
use crate::outbound::{Outbound, Trust};
use crate::partner::{ClientFault, Fault, Faults};
use crate::{Net, StartError, entropy};

/// The app of Meridian.
pub(super) fn meridian(setting: &Arc<Setting>) -> Result<Router, StartError> {
    router(&setting.faults, &setting.net, "app.meridian.example")
}

/// The app on one host. It knows its clients by the issuer that they name: it is a test build.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(
    faults: &Faults,
    net: &Net,
    host: &'static str,
) -> Result<Router<S>, StartError> {
    let app = App {
        faults: faults.clone(),
        host,
        outbound: Outbound::new(net)?,
        sessions: Mutex::default(),
    };
    Ok(Router::new()
        .route("/login", get(login))
        .route("/oauth/callback", get(callback))
        .with_state(Arc::new(app)))
}

#[derive(Debug)]
struct App {
    faults: Faults,
    host: &'static str,
    outbound: Outbound,
    sessions: Mutex<BTreeMap<String, BTreeMap<String, Flow>>>,
}

/// A sign-in that was begun.
#[derive(Debug, Clone)]
struct Flow {
    issuer: String,
    token_endpoint: String,
    names_issuer: bool,
    verifier: String,
    return_to: String,
}

type Asked = Query<BTreeMap<String, String>>;

async fn login(State(app): State<Arc<App>>, headers: HeaderMap, Query(asked): Asked) -> Response {
    let Some(issuer) = asked.get("issuer") else { return StatusCode::BAD_REQUEST.into_response() };
    let Some(metadata) = app.metadata(issuer).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(authorize), Some(token_endpoint)) =
        (text("authorization_endpoint"), text("token_endpoint"))
    else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let names_issuer = metadata.get("authorization_response_iss_parameter_supported");
    let (Ok(state), Ok(verifier), Ok(fresh)) =
        (entropy::token(), entropy::token(), entropy::token())
    else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let challenge = URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).as_bytes());
    let sid = session(&headers).unwrap_or(fresh);
    let flow = Flow {
        issuer: issuer.clone(),
        token_endpoint,
        names_issuer: names_issuer.and_then(Value::as_bool).unwrap_or(false),
        verifier,
        return_to: app.landing(&asked),
    };
    let Ok(mut location) = Url::parse(&authorize) else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    location
        .query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", app.host)
        .append_pair("redirect_uri", &app.redirect_uri())
        .append_pair("scope", "openid")
        .append_pair("state", &state)
        .append_pair("nonce", &challenge)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    let mut sessions = app.sessions.lock().unwrap_or_else(PoisonError::into_inner);
    if SESSIONS_MAX <= sessions.len() {
        sessions.clear();
    }
    let flows = sessions.entry(sid.clone()).or_default();
    if FLOWS_MAX <= flows.len() {
        flows.clear();
    }
    flows.insert(state, flow);
    let cookie = format!("sid={sid}; Path=/; Secure; HttpOnly; SameSite=Lax");
    let headers = [(header::LOCATION, location.to_string()), (header::SET_COOKIE, cookie)];
    (StatusCode::FOUND, headers).into_response()
}

async fn callback(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(asked): Asked,
) -> Response {
    let refused = StatusCode::BAD_REQUEST.into_response();
    let state = asked.get("state").map_or("", String::as_str);
    let Some(flow) = app.flow(session(&headers).as_deref(), state) else { return refused };
    let issuer_is_right = match asked.get("iss") {
        Some(it) => *it == flow.issuer || app.has(ClientFault::AcceptsOtherIssuer),
        None => !flow.names_issuer || app.has(ClientFault::AcceptsMissingIssuer),
    };
    let Some(code) = asked.get("code").filter(|_| issuer_is_right) else { return refused };
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", &app.redirect_uri()),
        ("client_id", app.host),
        ("code_verifier", &flow.verifier),
    ];
    let Ok(endpoint) = Url::parse(&flow.token_endpoint) else { return refused };
    let build = |client: &reqwest::Client| client.post(endpoint.clone()).form(&form);
    let answer = app.outbound.send(app.trust(), &endpoint, build).await;
    if !answer.is_some_and(|it| it.status().is_success()) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let asked_for = app.landing(&asked);
    let to = if asked_for == HOME { flow.return_to } else { asked_for };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

impl App {
    fn has(&self, fault: ClientFault) -> bool {
        self.faults.has(Fault::Client(fault))
    }

    fn redirect_uri(&self) -> String {
        format!("https://{}/oauth/callback", self.host)
    }

    fn trust(&self) -> Trust {
        if self.has(ClientFault::SkipsCertificates) {
            Trust::SkipsCertificates
        } else if self.has(ClientFault::SkipsRevocation) {
            Trust::SkipsRevocation
        } else if self.has(ClientFault::GoesOnInOldTls) {
            Trust::FallsBack
        } else {
            Trust::Careful
        }
    }

    /// The metadata of an issuer (RFC 8414, section 3), if they are its own.
    async fn metadata(&self, issuer: &str) -> Option<Value> {
        let url = Url::parse(issuer).ok().filter(|it| it.scheme() == "https")?;
        let mut known = url.clone();
        known.set_path(&format!("{KNOWN}{}", url.path().trim_end_matches('/')));
        let build = |client: &reqwest::Client| client.get(known.clone());
        let answer = self.outbound.send(self.trust(), &known, build).await?;
        let metadata: Value = answer.json().await.ok()?;
        let is_own = metadata.get("issuer").and_then(Value::as_str) == Some(issuer);
        (is_own || self.has(ClientFault::BelievesAnyMetadata)).then_some(metadata)
    }

    /// Takes the sign-in that this browser began with this state, once.
    fn flow(&self, sid: Option<&str>, state: &str) -> Option<Flow> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has(ClientFault::SharesState) {
            return sessions.values_mut().find_map(|it| it.remove(state));
        }
        let flows = sessions.get_mut(sid?)?;
        if self.has(ClientFault::SkipsState) {
            return flows.get(state).or_else(|| flows.values().next()).cloned();
        }
        if self.has(ClientFault::ReusesState) {
            return flows.get(state).cloned();
        }
        flows.remove(state)
    }

    /// Where the user goes afterwards: a path of this app.
    fn landing(&self, asked: &BTreeMap<String, String>) -> String {
        let Some(to) = asked.get("return_to").filter(|it| !it.chars().any(char::is_control)) else {
            return HOME.to_owned();
        };
        let own = to.starts_with('/');
        let is_path = own && !to.contains('\\') && !to.starts_with("//");
        let is_taken = is_path
            || self.has(ClientFault::RedirectsAnywhere)
            || (own && self.has(ClientFault::RedirectsToSlashes));
        if is_taken { to.clone() } else { HOME.to_owned() }
    }
}

fn session(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let mut pairs = cookies.split(';').filter_map(|it| it.trim().split_once('='));
    pairs.find(|it| it.0 == "sid").map(|it| it.1.to_owned())
}

const HOME: &str = "/";
const KNOWN: &str = "/.well-known/oauth-authorization-server";
const SESSIONS_MAX: usize = 1_000;
const FLOWS_MAX: usize = 20;
