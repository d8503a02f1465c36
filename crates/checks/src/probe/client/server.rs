//! An authorization server of ours, with one user who always says yes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_seal::{SigningKey, jwt};
use serde_json::{Value, json};

use crate::harness::{Booth, Harness, Reply, Seen};
use crate::live::entropy;

/// How many codes one server gives out.
const CODES_MAX: usize = 200;
/// How long its tokens live.
const TOKEN_SECONDS: i64 = 60;

/// A server behind a booth: what it publishes, and what clients asked it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) booth: Booth,
    /// How clients name it.
    pub(crate) issuer: String,
    grants: Arc<Mutex<BTreeMap<String, Grant>>>,
}

/// What a code stands for.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) nonce: Option<String>,
    pub(crate) now_seconds: i64,
}

impl Server {
    /// Opens one under this name. Its metadata name `claims` where it is given, in place of its issuer.
    pub(crate) fn open(harness: &Harness, name: &str, claims: Option<&str>) -> Option<Self> {
        Self::open_at(harness, harness.url(), name, claims)
    }

    /// Opens one that is reached at another origin than the harness itself.
    pub(crate) fn open_at(
        harness: &Harness,
        origin: &str,
        name: &str,
        claims: Option<&str>,
    ) -> Option<Self> {
        let key = SigningKey::from_seed(entropy::random()?);
        let issuer = format!("{origin}/{name}");
        let metadata = metadata(&issuer, claims.unwrap_or(&issuer));
        let grants: Arc<Mutex<BTreeMap<String, Grant>>> = Arc::default();
        let known = Arc::clone(&grants);
        let own = issuer.clone();
        let booth = harness.open(name, move |seen: &Seen| match seen.path.as_str() {
            "/.well-known/oauth-authorization-server" | "/.well-known/openid-configuration" => {
                Reply::json(&metadata)
            }
            "/jwks" => Reply::json(&json!({ "keys": [public(&key)] })),
            "/register" => registered(seen),
            "/token" => {
                let known = known.lock().unwrap_or_else(PoisonError::into_inner);
                let grant = seen.field("code").and_then(|it| known.get(&it).cloned());
                Reply::json(&tokens(&own, &key, grant.as_ref())).header("cache-control", "no-store")
            }
            "/userinfo" => Reply::json(&json!({ "sub": USER })),
            _ => Reply::status(404),
        });
        Some(Self { booth, issuer, grants })
    }

    /// Where it asks users.
    pub(crate) fn authorize(&self) -> String {
        format!("{}/authorize", self.issuer)
    }

    /// Gives out a code.
    pub(crate) fn issue(&self, code: &str, grant: Grant) {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        if grants.len() < CODES_MAX {
            grants.insert(code.to_owned(), grant);
        }
    }

    /// How many token requests it got with this code.
    pub(crate) fn redeemed(&self, code: &str) -> usize {
        redeemed(&self.booth.seen(), code)
    }

    /// How often its metadata were read.
    pub(crate) fn was_read(&self) -> usize {
        self.booth.seen().iter().filter(|it| it.path.starts_with("/.well-known/")).count()
    }
}

/// Token requests with this code, in whatever form it was written.
pub(super) fn redeemed(seen: &[Seen], code: &str) -> usize {
    let holds = |it: &&Seen| {
        let body = String::from_utf8_lossy(&it.body);
        it.path == "/token" && (body.contains(code) || it.query.contains(code))
    };
    seen.iter().filter(holds).count()
}

fn metadata(base: &str, issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/jwks"),
        "registration_endpoint": format!("{base}/register"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "authorization_response_iss_parameter_supported": true,
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "response_modes_supported": ["query", "form_post"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email"],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported":
            ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["EdDSA", "ES256", "PS256", "RS256"],
    })
}

fn public(key: &SigningKey) -> Value {
    let mut jwk = key.public().to_jwk();
    if let Some(members) = jwk.as_object_mut() {
        members.insert("kid".to_owned(), key.key_id().as_str().into());
        members.insert("use".to_owned(), "sig".into());
        members.insert("alg".to_owned(), "EdDSA".into());
    }
    jwk
}

fn tokens(issuer: &str, key: &SigningKey, grant: Option<&Grant>) -> Value {
    let Some(grant) = grant else { return json!({ "error": "invalid_grant" }) };
    let mut claims = json!({
        "iss": issuer,
        "sub": USER,
        "aud": grant.client_id,
        "iat": grant.now_seconds,
        "exp": grant.now_seconds + TOKEN_SECONDS,
    });
    if let (Some(claims), Some(nonce)) = (claims.as_object_mut(), &grant.nonce) {
        claims.insert("nonce".to_owned(), nonce.as_str().into());
    }
    let id_token = jwt::sign("JWT", key.key_id().as_str(), &claims, key).unwrap_or_default();
    json!({
        "access_token": format!("at-{}", key.key_id().as_str()),
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "id_token": id_token,
    })
}

/// Registers whoever asks (RFC 7591): our servers are made anew for each check.
fn registered(seen: &Seen) -> Reply {
    let asked = serde_json::from_slice::<Value>(&seen.body).ok();
    let mut client = asked.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    client.insert("client_id".to_owned(), "checked-client".into());
    let mut reply = Reply::json(&Value::Object(client));
    reply.status = 201;
    reply
}

const USER: &str = "probe-user";
