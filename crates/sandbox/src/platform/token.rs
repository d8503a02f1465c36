//! The token endpoint (RFC 6749).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Form as FormBody, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::{Call, Reason};
use countersign_model::time::{Period, Timestamp};
use countersign_seal::{Digest, SigningKey, jwt};
use serde_json::json;

use super::Shared;
use super::assertion::{self, Authenticated, Form, authenticate};
use super::book::{Client, Refresh, Token};
use super::front::redeem;
use super::logs::TokenLine;
use crate::registration::{ClientRegistration, Lapse};
use crate::{AccessFault, OauthFault, clock, entropy};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/oauth/token", post(token))
}

/// Why no token is given.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    error: &'static str,
    reason: Option<Reason>,
}

impl Refusal {
    fn new(error: &'static str) -> Self {
        let status = match error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "slow_down" => StatusCode::TOO_MANY_REQUESTS,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, error, reason: None }
    }

    fn gate(reason: Reason) -> Self {
        let error = match reason {
            Reason::Lapsed
            | Reason::Revoked
            | Reason::Stale
            | Reason::Suspended
            | Reason::Uncertified => "invalid_client",
            Reason::OutsideScope => "invalid_scope",
            _ => "unauthorized_client",
        };
        Self { reason: Some(reason), ..Self::new(error) }
    }
}

/// What a grant comes to, before the gate is asked.
#[derive(Debug)]
struct Granting {
    scopes: BTreeSet<String>,
    /// The family that a refresh belongs to, and since when it lives.
    family: Option<(Digest, Timestamp)>,
    presented: Option<Digest>,
}

/// The id under which a token is written down: anybody who holds the token can compute it.
pub(crate) fn token_id(token: &str) -> String {
    Digest::of(token.as_bytes()).hex()[..24].to_owned()
}

async fn token(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    FormBody(form): FormBody<Form>,
) -> Response {
    let form = assertion::with_address(&shared, form, query.as_deref());
    let now = clock::now();
    let text = |name: &str| form.get(name).map(|it| it.chars().take(200).collect::<String>());
    let mut line = TokenLine {
        time: now,
        client_id: String::new(),
        token_id: None,
        actor: text("actor"),
        order_id: text("order_id"),
        purpose: text("purpose"),
        grant: text("grant_type").unwrap_or_default(),
        scope: text("scope").unwrap_or_default(),
        ip: peer.ip().to_string(),
        issued_at: None,
        expires_at: None,
        seq: text("seq").and_then(|it| it.parse().ok()),
        result: "granted".to_owned(),
        gate: None,
        kid: None,
    };
    let authenticated = authenticate(&shared, &headers, &form).await;
    let answer = match authenticated {
        Err(refused) => {
            line.client_id = refused.claimed;
            line.kid = refused.kid;
            Err(Refusal::new("invalid_client"))
        }
        Ok(it) => {
            line.client_id.clone_from(&it.client.registration.client_id);
            line.kid.clone_from(&it.kid);
            grant(&shared, &it, &form, peer.ip(), &mut line).await
        }
    };
    if let Err(refusal) = &answer {
        refusal.error.clone_into(&mut line.result);
        line.gate = refusal.reason.map(|it| it.code().to_owned());
    }
    let cached = is_cached(&shared, &line.client_id);
    write_down(&shared, line);
    let mut response = match answer {
        Ok(body) => (StatusCode::OK, Json(body)).into_response(),
        Err(refusal) => {
            let description = refusal.reason.map(Reason::code);
            let body = json!({"error": refusal.error, "error_description": description});
            (refusal.status, Json(body)).into_response()
        }
    };
    if !cached {
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    }
    response
}

/// Whether answers to a client may be kept: a lapse.
fn is_cached(shared: &Shared, client: &str) -> bool {
    let pages = shared.book.open();
    let client = pages.clients.get(client);
    client.is_some_and(|it| it.registration.is_wrong(OauthFault::LetsTokensBeCached))
}

/// Writes a request down; a platform that is wrong about a client loses every seventh of its tokens.
fn write_down(shared: &Shared, line: TokenLine) {
    let mut pages = shared.book.open();
    let client = pages.clients.get(&line.client_id);
    let loses =
        client.is_some_and(|it| it.registration.lapses.contains(&Lapse::LosesTokenRequests));
    let hides = client.is_some_and(|it| it.has(AccessFault::RefusesWithoutTrace))
        && line.result != "granted";
    let first = line.token_id.as_deref().and_then(|it| u8::from_str_radix(it.get(..2)?, 16).ok());
    if !(hides || loses && first.is_some_and(|it| it % 7 == 0)) {
        pages.logs.tokens.push(line);
    }
}

async fn grant(
    shared: &Shared,
    who: &Authenticated,
    form: &Form,
    ip: IpAddr,
    line: &mut TokenLine,
) -> Result<serde_json::Value, Refusal> {
    let registration = &who.client.registration;
    let grant = form.get("grant_type").ok_or(Refusal::new("invalid_request"))?;
    let password = grant == "password" && registration.is_wrong(OauthFault::AllowsPasswordGrant);
    if !registration.grant_types.contains(grant) && !password {
        let known = GRANTS.contains(&grant.as_str());
        return Err(Refusal::new(if known {
            "unauthorized_client"
        } else {
            "unsupported_grant_type"
        }));
    }
    let now = clock::now();
    let granting = match grant.as_str() {
        "client_credentials" => plain(form, registration)?,
        "password" => person(shared, form, registration)?,
        JWT_BEARER => {
            let assertion = form.get("assertion").ok_or(Refusal::new("invalid_request"))?;
            assertion::verify(shared, registration, assertion)
                .await
                .ok_or(Refusal::new("invalid_grant"))?;
            plain(form, registration)?
        }
        "refresh_token" => refresh(shared, registration, form, now)?,
        "authorization_code" => {
            let code = redeem(shared, &who.client, form, now).map_err(Refusal::new)?;
            Granting { scopes: code.scopes, family: Some(code.family), presented: None }
        }
        _ => return Err(Refusal::new("unsupported_grant_type")),
    };
    let mut call = Call::new(PathKind::TokenMint, who.client.known_as());
    call.scopes = granting.scopes.iter().cloned().collect();
    call.grant_type = Some(grant.clone());
    call.ttl_seconds = Some(registration.token_ttl_seconds);
    call.ip = Some(ip);
    who.proof.tell(&mut call);
    call.issued_at = granting.family.map(|it| it.1);
    let (reason, observed) = shared.ask_mint(&call);
    if reason != Reason::Admitted {
        return Err(Refusal::gate(reason));
    }
    if !shared.book.open().count(&who.client, now) {
        return Err(Refusal::new("slow_down"));
    }
    line.gate = observed.map(|it| it.code().to_owned());
    line.scope = words(&granting.scopes);
    line.issued_at = Some(now);
    line.expires_at = Some(now + Period::from_seconds(registration.token_ttl_seconds));
    issue(shared, who, granting, ip, line)
}

/// Writes the new token down, and a refresh token beside it where the client may refresh.
fn issue(
    shared: &Shared,
    who: &Authenticated,
    granting: Granting,
    ip: IpAddr,
    line: &mut TokenLine,
) -> Result<serde_json::Value, Refusal> {
    let failed = |_| Refusal::new("server_error");
    let client = &who.client;
    let registration = &client.registration;
    let id = registration.client_id.as_str();
    let now = line.time;
    let access = match &shared.token_key {
        Some(key) => signed(shared, key, client, &granting.scopes, now)?,
        None => entropy::token().map_err(failed)?,
    };
    line.token_id = Some(token_id(&access));
    let mut body = json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": registration.token_ttl_seconds,
        "scope": words(&granting.scopes),
    });
    let mut pages = shared.book.open();
    // Between the decision and now somebody may have disabled it.
    match pages.clients.get_mut(id).filter(|it| it.may_mint()) {
        Some(it) => it.last_used = Some(now),
        None => return Err(Refusal::new("invalid_client")),
    }
    if let Some(presented) = granting.presented {
        match pages.refreshes.get_mut(&presented) {
            Some(it) if !it.used => it.used = true,
            _ => return Err(Refusal::new("invalid_grant")),
        }
    }
    pages.make_room(now);
    // A code that came twice meanwhile gives nothing.
    let is_replayed = |it: &Digest| pages.codes.get(it).is_some_and(|it| it.is_replayed);
    let mut family = granting.family.map(|it| it.0);
    if family.as_ref().is_some_and(is_replayed) {
        return Err(Refusal::new("invalid_grant"));
    }
    if 0 < registration.refresh_ttl_seconds && registration.grant_types.contains("refresh_token") {
        let refresh = entropy::token().map_err(failed)?;
        let digest = Digest::of(refresh.as_bytes());
        let (name, began_at) = granting.family.unwrap_or((digest, now));
        family = Some(name);
        let it = Refresh {
            client: id.to_owned(),
            scopes: granting.scopes.clone(),
            family: name,
            began_at,
            expires_at: began_at + Period::from_seconds(registration.refresh_ttl_seconds),
            used: false,
        };
        pages.refreshes.insert(digest, it);
        body["refresh_token"] = refresh.into();
    }
    let token = Token {
        client: id.to_owned(),
        scopes: granting.scopes,
        issued_at: now,
        expires_at: now + Period::from_seconds(registration.token_ttl_seconds),
        ip,
        family,
        proof: who.proof.clone(),
    };
    pages.tokens.insert(Digest::of(access.as_bytes()), token);
    Ok(body)
}

/// An access token that says what it is (RFC 9068).
fn signed(
    shared: &Shared,
    key: &SigningKey,
    client: &Client,
    scopes: &BTreeSet<String>,
    now: Timestamp,
) -> Result<String, Refusal> {
    let registration = &client.registration;
    let failed = || Refusal::new("server_error");
    let life = Period::from_seconds(registration.token_ttl_seconds);
    let mut claims = json!({
        "iss": shared.issuer(), "aud": shared.issuer(), "sub": registration.client_id,
        "client_id": registration.client_id, "scope": words(scopes),
        "iat": now.seconds(), "exp": (now + life).seconds(),
        "jti": entropy::token().map_err(|_| failed())?,
    });
    if registration.is_wrong(OauthFault::OmitsTokenId)
        && let Some(claims) = claims.as_object_mut()
    {
        claims.remove("jti");
    }
    let plainly = registration.is_wrong(OauthFault::TypesTokensPlainly);
    let typ = if plainly { "JWT" } else { "at+jwt" };
    jwt::sign(typ, key.key_id().as_str(), &claims, key).map_err(|_| failed())
}

/// The scopes that are asked for: all of the client's where none are named, never more.
fn asked(form: &Form, may: &BTreeSet<String>) -> Result<BTreeSet<String>, Refusal> {
    let Some(scope) = form.get("scope").filter(|it| !it.trim().is_empty()) else {
        return Ok(may.clone());
    };
    let asked: BTreeSet<String> = scope.split_whitespace().map(str::to_owned).collect();
    if asked.is_subset(may) { Ok(asked) } else { Err(Refusal::new("invalid_scope")) }
}

fn plain(form: &Form, registration: &ClientRegistration) -> Result<Granting, Refusal> {
    let scopes = match (asked(form, &registration.scopes), form.get("scope")) {
        (Err(_), Some(scope)) if registration.lapses.contains(&Lapse::GrantsAnyScope) => {
            scope.split_whitespace().map(str::to_owned).collect()
        }
        (asked, _) => asked?,
    };
    Ok(Granting { scopes, family: None, presented: None })
}

/// Takes the password of a person: only where that is a lapse.
fn person(
    shared: &Shared,
    form: &Form,
    registration: &ClientRegistration,
) -> Result<Granting, Refusal> {
    let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let password = Digest::of(text("password").as_bytes());
    if shared.book.open().people.get(text("username")) != Some(&password) {
        return Err(Refusal::new("invalid_grant"));
    }
    plain(form, registration)
}

/// A refresh token counts once; a second time kills everything that came from its first grant.
fn refresh(
    shared: &Shared,
    registration: &ClientRegistration,
    form: &Form,
    now: Timestamp,
) -> Result<Granting, Refusal> {
    let client = registration.client_id.as_str();
    let token = form.get("refresh_token").ok_or(Refusal::new("invalid_request"))?;
    let digest = Digest::of(token.as_bytes());
    let mut pages = shared.book.open();
    let anybody = registration.is_wrong(OauthFault::RefreshesForOthers);
    let found = pages.refreshes.get(&digest).filter(|it| anybody || it.client == client).cloned();
    let found = found.ok_or(Refusal::new("invalid_grant"))?;
    if found.used && registration.is_wrong(OauthFault::RefreshesTwice) {
        let scopes = asked(form, &found.scopes)?;
        let family = Some((found.family, found.began_at));
        return Ok(Granting { scopes, family, presented: None });
    }
    if found.used {
        pages.raise(client, REFRESH_TWICE, now);
        if !registration.is_wrong(OauthFault::KeepsRefreshFamily) {
            pages.kill_family(found.family);
        }
        // What was presented stays known, so that a third time raises the alarm too.
        pages.refreshes.insert(digest, found);
        return Err(Refusal::new("invalid_grant"));
    }
    if found.expires_at <= now {
        return Err(Refusal::new("invalid_grant"));
    }
    let scopes = asked(form, &found.scopes)?;
    Ok(Granting { scopes, family: Some((found.family, found.began_at)), presented: Some(digest) })
}

fn words(scopes: &BTreeSet<String>) -> String {
    scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The alert of a refresh token that comes back.
pub(crate) const REFRESH_TWICE: &str = "refresh token presented twice";
/// RFC 7523, section 2.1.
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const GRANTS: [&str; 4] = ["authorization_code", "client_credentials", JWT_BEARER, "refresh_token"];
