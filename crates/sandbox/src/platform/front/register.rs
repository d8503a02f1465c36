//! Clients that register themselves (RFC 7591) and look after their registration (RFC 7592).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use countersign_model::time::Period;
use countersign_seal::Digest;
use serde_json::{Value, json};
use url::{Host, Url};

use super::super::book::Pages;
use super::super::problem::Problem;
use super::super::{Shared, api, client};
use super::code::NO_STORE;
use super::pages::Registered;
use crate::partner::FrontFault;
use crate::registration::{ClientRegistration, Extras, FrontChannel};
use crate::{clock, entropy};

pub(super) fn routes() -> Router<Arc<Shared>> {
    let one = get(show).put(update).delete(remove);
    Router::new().route("/oauth/register", post(register)).route("/oauth/register/{client}", one)
}

/// Why a registration is refused: a status and a code of RFC 7591, section 3.2.2.
type Refusal = (StatusCode, &'static str);
type Answer = Result<Response, Refused>;

struct Refused(Refusal);

impl axum::response::IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, code) = self.0;
        let mut response = (status, NO_STORE, Json(json!({ "error": code }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// An initial access token, as an administrator hands it out.
pub(in super::super) fn invite(shared: &Shared) -> Result<String, Problem> {
    let token = entropy::token().map_err(|_| Problem::internal())?;
    let now = clock::now();
    let mut pages = shared.book.open();
    pages.make_room(now);
    let until = now + Period::from_seconds(INVITATION_SECONDS);
    pages.front.invitations.insert(Digest::of(token.as_bytes()), until);
    Ok(token)
}

async fn register(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Answer {
    let token = bearer(&headers);
    let faults = Faults::of(&shared.book.open());
    let jwks_uri = asked.get("jwks_uri").and_then(Value::as_str);
    if let Some(url) = jwks_uri.filter(|_| faults.has(FrontFault::FetchesKeysUnseen)) {
        drop(shared.http.get(url).send().await);
    }
    {
        let pages = shared.book.open();
        let until = token.and_then(|it| pages.front.invitations.get(&it).copied());
        if until.is_none_or(|it| it <= clock::now()) && !faults.has(FrontFault::RegistersAnybody) {
            return Err(Refused((StatusCode::UNAUTHORIZED, "invalid_token")));
        }
    }
    let failed = |_| Refused((StatusCode::INTERNAL_SERVER_ERROR, "server_error"));
    let id = format!("dyn-{}", entropy::suffix().map_err(failed)?);
    let access = entropy::token().map_err(failed)?;
    let (registration, mut metadata) = read(&asked, &id, &faults).map_err(Refused)?;
    let now = clock::now();
    metadata["client_id_issued_at"] = now.seconds().into();
    let registered = Registered {
        token: Digest::of(access.as_bytes()),
        old: Vec::new(),
        metadata: metadata.clone(),
        created_at: now,
    };
    shared.book.put_client(registration, now);
    let mut pages = shared.book.open();
    pages.front.registered.insert(id.clone(), registered);
    let oldest = pages.front.registered.iter().min_by_key(|it| it.1.created_at);
    let oldest =
        oldest.map(|it| it.0.clone()).filter(|_| REGISTERED_MAX < pages.front.registered.len());
    drop(pages);
    if let Some(it) = oldest {
        shared.book.remove_client(&it);
    }
    Ok((StatusCode::CREATED, NO_STORE, Json(shown(&shared, metadata, &access))).into_response())
}

async fn show(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let pages = shared.book.open();
    let metadata = mine(&pages, &id, &headers)?;
    Ok((NO_STORE, Json(metadata)).into_response())
}

/// Replaces a registration; its token is replaced with it.
async fn update(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Answer {
    let faults = Faults::of(&shared.book.open());
    mine(&shared.book.open(), &id, &headers)?;
    if asked.get("client_id").and_then(Value::as_str) != Some(&id) {
        return Err(Refused((StatusCode::BAD_REQUEST, "invalid_client_metadata")));
    }
    let failed = |_| Refused((StatusCode::INTERNAL_SERVER_ERROR, "server_error"));
    let access = entropy::token().map_err(failed)?;
    let (registration, metadata) = read(&asked, &id, &faults).map_err(Refused)?;
    shared.book.put_client(registration, clock::now());
    let mut pages = shared.book.open();
    if let Some(it) = pages.front.registered.get_mut(&id) {
        if faults.has(FrontFault::KeepsRotatedRegistrationToken) && it.old.len() < OLD_MAX {
            it.old.push(it.token);
        }
        it.token = Digest::of(access.as_bytes());
        it.metadata = metadata.clone();
    }
    drop(pages);
    Ok((NO_STORE, Json(shown(&shared, metadata, &access))).into_response())
}

async fn remove(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    {
        let mut pages = shared.book.open();
        let metadata = mine(&pages, &id, &headers)?;
        let token = bearer(&headers);
        if let Some(it) = token
            && pages.anybody_errs(FrontFault::KeepsDeletedRegistrationToken)
        {
            pages.front.ghosts.insert(it, (id.clone(), metadata));
        }
    }
    shared.book.remove_client(&id);
    Ok((StatusCode::NO_CONTENT, NO_STORE).into_response())
}

/// The metadata of a client whose registration token this is (RFC 7592, section 2).
fn mine(pages: &Pages, id: &str, headers: &HeaderMap) -> Result<Value, Refused> {
    let no = || Refused((StatusCode::UNAUTHORIZED, "invalid_token"));
    let token = bearer(headers).ok_or_else(no)?;
    if let Some((_, metadata)) = pages.front.ghosts.get(&token).filter(|it| it.0 == id) {
        return Ok(metadata.clone());
    }
    let found = pages.front.registered.get(id).ok_or_else(no)?;
    let is_mine = found.token == token || found.old.contains(&token);
    if is_mine { Ok(found.metadata.clone()) } else { Err(no()) }
}

fn bearer(headers: &HeaderMap) -> Option<Digest> {
    api::text(headers).map(|it| Digest::of(it.as_bytes()))
}

fn shown(shared: &Shared, mut metadata: Value, access: &str) -> Value {
    let id = metadata.get("client_id").and_then(Value::as_str).unwrap_or_default();
    metadata["registration_client_uri"] = format!("{}/oauth/register/{id}", shared.issuer()).into();
    metadata["registration_access_token"] = access.into();
    metadata
}

/// What is wrong with the registration of clients at the whole platform.
struct Faults(BTreeSet<FrontFault>);

impl Faults {
    fn of(pages: &Pages) -> Self {
        let all = [
            FrontFault::BelievesSoftwareStatement,
            FrontFault::FetchesKeysUnseen,
            FrontFault::KeepsRotatedRegistrationToken,
            FrontFault::RegistersAnybody,
            FrontFault::RegistersPlainRedirect,
            FrontFault::RegistersPrivateKeyAddress,
        ];
        Self(all.into_iter().filter(|it| pages.anybody_errs(*it)).collect())
    }

    fn has(&self, fault: FrontFault) -> bool {
        self.0.contains(&fault)
    }
}

/// Reads client metadata (RFC 7591, section 2). Nothing is fetched.
fn read(asked: &Value, id: &str, faults: &Faults) -> Result<(ClientRegistration, Value), Refusal> {
    let no = |code| (StatusCode::BAD_REQUEST, code);
    let text = |name: &str| asked.get(name).and_then(Value::as_str);
    // No signer of software is known here.
    if asked.get("software_statement").is_some()
        && !faults.has(FrontFault::BelievesSoftwareStatement)
    {
        return Err(no("unapproved_software_statement"));
    }
    let redirects = words(asked, "redirect_uris");
    let is_right = |it: &String| is_redirect(it, faults.has(FrontFault::RegistersPlainRedirect));
    if redirects.is_empty() || REDIRECTS_MAX < redirects.len() || !redirects.iter().all(is_right) {
        return Err(no("invalid_redirect_uri"));
    }
    let auth = text("token_endpoint_auth_method").unwrap_or("private_key_jwt");
    let jwks_uri = text("jwks_uri").map(str::to_owned);
    let keys = asked.pointer("/jwks/keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_seen = |it: &String| is_public(it) || faults.has(FrontFault::RegistersPrivateKeyAddress);
    let grants = words(asked, "grant_types");
    let may = ["authorization_code", "refresh_token"].map(str::to_owned);
    let grant_types: BTreeSet<String> =
        if grants.is_empty() { may[..1].iter().cloned().collect() } else { grants };
    let is_known = grant_types.iter().all(|it| may.contains(it));
    let types = words(asked, "response_types");
    let is_wrong = !["private_key_jwt", "none"].contains(&auth)
        || !is_known
        || types.iter().any(|it| it != "code")
        || (jwks_uri.is_some() && !keys.is_empty())
        || !jwks_uri.iter().all(is_seen);
    if is_wrong {
        return Err(no("invalid_client_metadata"));
    }
    let named = redirects.iter().enumerate().map(|(n, it)| (format!("dyn:{n}"), it.clone()));
    let registration = ClientRegistration {
        client_id: id.to_owned(),
        integration: "registered-by-itself".to_owned(),
        auth: auth.to_owned(),
        scopes: BTreeSet::new(),
        keys,
        jwks_uri,
        secret_sha256: None,
        redirects: named.collect::<BTreeMap<_, _>>(),
        grant_types: grant_types.clone(),
        token_ttl_seconds: 300,
        refresh_ttl_seconds: 0,
        front: FrontChannel::default(),
        networks: Vec::new(),
        max_per_hour: None,
        alerts: BTreeSet::new(),
        extras: Extras::default(),
        lapses: BTreeSet::new(),
    };
    client::check(&registration).map_err(|_| no("invalid_client_metadata"))?;
    let metadata = json!({
        "client_id": id,
        "redirect_uris": redirects,
        "token_endpoint_auth_method": auth,
        "grant_types": grant_types,
        "response_types": ["code"],
        "jwks_uri": registration.jwks_uri,
    });
    Ok((registration, metadata))
}

fn words(asked: &Value, name: &str) -> BTreeSet<String> {
    let items = asked.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_redirect(text: &str, may_be_plain: bool) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let is_https = url.scheme() == "https" || (may_be_plain && url.scheme() == "http");
    is_https && url.fragment().is_none() && url.username().is_empty() && url.host().is_some()
}

/// Whether an address can lie on the public internet: https, and a name with a dot that is nobody's
/// own. What it resolves to is looked at when it is fetched.
fn is_public(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let Some(Host::Domain(name)) = url.host() else { return false };
    let inner = ["internal", "local", "localhost", "home.arpa"];
    let is_inner = inner.iter().any(|it| name == *it || name.ends_with(&format!(".{it}")));
    url.scheme() == "https" && name.contains('.') && !is_inner
}

const INVITATION_SECONDS: u64 = 600;
const OLD_MAX: usize = 100;
const REDIRECTS_MAX: usize = 20;
const REGISTERED_MAX: usize = 200;
