//! A resource server that accepts tokens of the checker's issuer (RFC 9068), each fault apart.

mod keys;
mod read;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use countersign_seal::Digest;
use countersign_seal::jwt::check_times;
use serde_json::{Value, json};

use super::{Role, Setting};
use crate::partner::{Fault, JwtFault};
use crate::{StartError, clock};
use keys::Keys;
use read::Token;

pub(super) const RESOURCE: Role = Role { host: HOST, router };

const HOST: &str = "api.meridian.example";
/// As the manifest declares it.
const KEPT_FOR: Duration = Duration::from_millis(400);

/// One resource behind the server.
struct Resource {
    setting: Arc<Setting>,
    http: reqwest::Client,
    issuer: String,
    audience: String,
    keys: Keys,
    /// None where its issuer publishes keys.
    secret: Option<Secret>,
    /// The issuer of tests, at the twin for production.
    test_issuer: Option<String>,
}

/// A secret that it shares with its issuer.
struct Secret {
    strong: String,
}

/// Why a call is not let in.
struct Refused(StatusCode);

impl From<()> for Refused {
    fn from((): ()) -> Self {
        Self(StatusCode::UNAUTHORIZED)
    }
}

const NO: Refused = Refused(StatusCode::UNAUTHORIZED);

fn router(setting: &Arc<Setting>) -> Result<Router, StartError> {
    let issuer = format!("{}/issuer-meridian-suite", setting.harness);
    let resource = |issuer: String, path: &str| -> Result<Resource, StartError> {
        Ok(Resource {
            setting: Arc::clone(setting),
            http: setting.net.client(None)?,
            issuer,
            audience: format!("https://{HOST}{path}"),
            keys: Keys::default(),
            secret: None,
            test_issuer: None,
        })
    };
    let orders = resource(issuer.clone(), "")?;
    let mut production = resource(format!("{issuer}.production"), "")?;
    production.test_issuer = Some(issuer.clone());
    let mut legacy = resource(issuer, "/legacy")?;
    legacy.secret = Some(Secret { strong: setting.legacy_secret.clone() });
    let of = |resource: Resource| get(orders_of).with_state(Arc::new(resource));
    Ok(Router::new()
        .route("/orders", of(orders))
        .route("/production/orders", of(production))
        .route("/legacy/orders", of(legacy)))
}

/// The orders, for whoever may read them.
async fn orders_of(
    State(resource): State<Arc<Resource>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let in_query = query.as_deref().and_then(access_token);
    if let Some(token) = &in_query
        && resource.has(JwtFault::RedirectsTokenInQuery)
    {
        let to = format!("https://{HOST}/orders/?access_token={token}");
        return (StatusCode::FOUND, [(header::LOCATION, to)]).into_response();
    }
    match resource.admit(&headers, in_query.as_deref()).await {
        Ok(()) => axum::Json(json!({ "orders": [{ "id": "o-1", "total": 12 }] })).into_response(),
        Err(Refused(status)) => {
            let challenge = "Bearer error=\"invalid_token\"";
            (status, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
        }
    }
}

fn access_token(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|it| it.0 == "access_token").map(|it| it.1.into_owned())
}

impl Resource {
    fn has(&self, fault: JwtFault) -> bool {
        self.setting.faults.has(Fault::Jwt(fault))
    }

    async fn admit(&self, headers: &HeaderMap, in_query: Option<&str>) -> Result<(), Refused> {
        if self.has(JwtFault::ChecksNoToken) {
            return Ok(());
        }
        let in_query = in_query.filter(|_| self.has(JwtFault::AcceptsTokenInQuery));
        let in_header = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        let in_header = in_header.and_then(|it| it.strip_prefix("Bearer "));
        let text = in_header.or(in_query).ok_or(NO)?;
        if self.has(JwtFault::PaysForCostlyTokens) {
            pay(text).await;
        }
        let token = Token::read(text, |it| self.has(it)).ok_or(NO)?;
        if token.header.get("crit").is_some() && !self.has(JwtFault::IgnoresCritical) {
            return Err(NO);
        }
        self.verify(&token).await?;
        self.kind(&token)?;
        self.claims(&token.claims)
    }

    fn kind(&self, token: &Token) -> Result<(), Refused> {
        let typ = token.text("typ").unwrap_or_default().to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        if typ == "at+jwt" || self.has(JwtFault::AcceptsAnyTokenType) { Ok(()) } else { Err(NO) }
    }

    fn claims(&self, claims: &Value) -> Result<(), Refused> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let test = self.test_issuer.as_deref();
        let is_test = test.filter(|_| self.has(JwtFault::AcceptsTestTokensInProduction));
        let named = text("iss").ok_or(NO);
        let any = self.has(JwtFault::TrustsAnyIssuer);
        if !any && !named.is_ok_and(|it| it == self.issuer || Some(it) == is_test) {
            return Err(NO);
        }
        if !self.has(JwtFault::AcceptsAnyAudience) && !self.is_addressed(claims.get("aud")) {
            return Err(NO);
        }
        if !self.has(JwtFault::IgnoresTimes) {
            check_times(claims, clock::now().seconds(), SKEW_SECONDS).map_err(|_| NO)?;
            claims.get("exp").and_then(Value::as_i64).ok_or(NO)?;
            claims.get("iat").and_then(Value::as_i64).ok_or(NO)?;
        }
        for name in ["sub", "client_id", "jti"] {
            text(name).ok_or(NO)?;
        }
        let mut scopes = text("scope").unwrap_or_default().split(' ');
        if self.secret.is_none() && !scopes.any(|it| it == "orders:read") {
            return Err(Refused(StatusCode::FORBIDDEN));
        }
        Ok(())
    }

    fn is_addressed(&self, audience: Option<&Value>) -> bool {
        let is_own = |it: &str| {
            it == self.audience
                || self.has(JwtFault::AcceptsLongerAudience) && it.starts_with(&self.audience)
        };
        match audience {
            Some(Value::String(one)) => is_own(one),
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(is_own),
            _ => false,
        }
    }

    /// The secret of the moment.
    fn secret(&self) -> Option<&str> {
        let secret = self.secret.as_ref()?;
        Some(if self.has(JwtFault::WeakSecret) { WEAK_SECRET } else { &secret.strong })
    }
}

/// What a library does that derives keys as the token wants it (RFC 7518, section 4.8).
async fn pay(text: &str) {
    let count = read::header_of(text).and_then(|it| it.get("p2c")?.as_u64());
    let count = count.and_then(|it| u32::try_from(it.min(20_000_000)).ok());
    let Some(count) = count.and_then(std::num::NonZeroU32::new) else { return };
    let work = move || {
        let mut key = [0; 64];
        let algorithm = aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA256;
        aws_lc_rs::pbkdf2::derive(algorithm, count, b"salt", b"password", &mut key);
        Digest::of(&key)
    };
    let _key = tokio::task::spawn_blocking(work).await;
}

/// A secret that stands in every dictionary.
pub(crate) const WEAK_SECRET: &str = concat!("meridian", "-secret");
const SKEW_SECONDS: i64 = 5;
