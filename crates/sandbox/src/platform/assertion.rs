//! Who is asking at the token endpoint (RFC 6749, section 2.3; RFC 7523, section 2.2).

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign_model::enforce::Call;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::Digest;
use countersign_seal::jwt::{self, Expect, JwtError, Verified, VerifyingKey};

use super::Shared;
use super::book::Client;
use super::client::Freshness;
use super::inventory::secret_name;
use crate::registration::ClientRegistration;
use crate::{OauthFault, clock};

/// A client that proved who it is.
#[derive(Debug, Clone)]
pub(super) struct Authenticated {
    pub(super) client: Client,
    /// The key that it used.
    pub(super) kid: Option<String>,
    /// How it proved itself, and where its key came from, in a gate's words.
    pub(super) proof: Proof,
}

/// How a client proved itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proof {
    /// `private_key_jwt`; none for a throw-away copy.
    pub(crate) auth: Option<String>,
    /// An address, or `registered`.
    pub(crate) keys_at: Option<String>,
    /// The credential's id, as administrators see it.
    pub(crate) credential: Option<String>,
}

impl Proof {
    /// Tells a gate.
    pub(super) fn tell(&self, call: &mut Call) {
        call.auth.clone_from(&self.auth);
        call.keys_at.clone_from(&self.keys_at);
        call.credential.clone_from(&self.credential);
    }
}

/// It did not; what it called itself is kept for the log.
#[derive(Debug, Clone, Default)]
pub(super) struct NotAuthenticated {
    pub(super) claimed: String,
    pub(super) kid: Option<String>,
}

/// Form fields.
pub(super) type Form = BTreeMap<String, String>;

/// Authenticates the caller of a token, introspection or revocation request.
pub(super) async fn authenticate(
    shared: &Shared,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Authenticated, NotAuthenticated> {
    let basic = basic(headers);
    let text = |name: &str| form.get(name).cloned();
    let ways = usize::from(basic.is_some())
        + usize::from(form.contains_key("client_secret"))
        + usize::from(form.contains_key("client_assertion"));
    let assertion = text("client_assertion");
    let header = assertion.as_deref().and_then(|it| jwt::unverified_header(it).ok());
    let kid = header.and_then(|it| it.kid);
    let claimed = match (&basic, &assertion) {
        (Some((id, _)), _) => id.clone(),
        (None, Some(it)) => text("client_id").or_else(|| claimed(it)).unwrap_or_default(),
        (None, None) => text("client_id").unwrap_or_default(),
    };
    let refused = NotAuthenticated { claimed: claimed.chars().take(200).collect(), kid };
    let client = shared.book.open().clients.get(&claimed).cloned();
    let Some(client) = client.filter(Client::may_mint) else { return Err(refused) };
    let registration = &client.registration;
    // More than one way at once is refused (RFC 6749, section 2.3), and so is none where one is due.
    if ways != usize::from(registration.auth != "none") {
        return Err(refused);
    }
    let secret_is = |secret: &str| {
        registration.secret_sha256.is_some_and(|it| it == Digest::of(secret.as_bytes()))
    };
    let further =
        |secret: &str| registration.extras.secrets.contains(&Digest::of(secret.as_bytes()));
    let beside = match (&basic, form.get("client_secret")) {
        (Some((_, it)), _) if further(it) => Some("client_secret_basic"),
        (None, Some(it)) if further(it) => Some("client_secret_post"),
        _ => None,
    };
    let secret = basic.as_ref().map(|it| &it.1).or_else(|| form.get("client_secret"));
    let secret = secret.map(|it| secret_name(Digest::of(it.as_bytes())));
    let proven = match registration.auth.as_str() {
        _ if beside.is_some() => true,
        "client_secret_basic" => basic.is_some_and(|(_, secret)| secret_is(&secret)),
        "client_secret_post" => text("client_secret").is_some_and(|it| secret_is(&it)),
        "private_key_jwt" => match assertion {
            None => takes_secret(registration, form),
            Some(it) if text("client_assertion_type").as_deref() == Some(ASSERTION_TYPE) => {
                verify(shared, registration, &it).await.is_some()
            }
            _ => false,
        },
        // A public client says who it is and proves nothing: its codes are bound by their challenge.
        "none" => true,
        _ => false,
    };
    if !proven {
        return Err(refused);
    }
    let proof = if client.copy_of.is_some() {
        Proof::default()
    } else {
        proof(&client.registration, beside, refused.kid.as_deref(), secret)
    };
    Ok(Authenticated { kid: refused.kid, client, proof })
}

/// What a gate is told of the credential.
fn proof(
    client: &ClientRegistration,
    beside: Option<&str>,
    kid: Option<&str>,
    secret: Option<String>,
) -> Proof {
    let auth = beside.unwrap_or(&client.auth).to_owned();
    let registered = |kid: &str| client.keys.iter().any(|it| it["kid"] == kid);
    let (keys_at, credential) = match (auth.as_str(), kid) {
        ("private_key_jwt", Some(kid)) if registered(kid) => {
            (Some("registered".to_owned()), Some(kid.to_owned()))
        }
        ("private_key_jwt", _) => {
            let published = client.jwks_uri.clone();
            let credential = published.as_ref().map(|it| format!("jwks:{it}"));
            (published, credential)
        }
        _ => (None, secret),
    };
    Proof { auth: Some(auth), keys_at, credential }
}

/// Whether a secret is taken from a client that has none: a lapse.
fn takes_secret(client: &ClientRegistration, form: &Form) -> bool {
    let in_address = form.contains_key(SECRET_IN_ADDRESS);
    client.is_wrong(OauthFault::AcceptsAnySecret)
        || in_address && client.is_wrong(OauthFault::AcceptsSecretInAddress)
}

/// What a platform that reads secrets from the address makes of a form: for such a client alone.
pub(super) fn with_address(shared: &Shared, form: Form, query: Option<&str>) -> Form {
    let query = query.unwrap_or_default().as_bytes();
    let query: Form = url::form_urlencoded::parse(query).into_owned().collect();
    let (Some(id), Some(secret)) = (query.get("client_id"), query.get("client_secret")) else {
        return form;
    };
    let pages = shared.book.open();
    let reads = pages
        .clients
        .get(id)
        .is_some_and(|it| it.registration.is_wrong(OauthFault::AcceptsSecretInAddress));
    if !reads {
        return form;
    }
    let mut form = form;
    form.insert("client_id".to_owned(), id.clone());
    form.insert("client_secret".to_owned(), secret.clone());
    form.insert(SECRET_IN_ADDRESS.to_owned(), String::new());
    form
}

/// Verifies an assertion that a client signed about itself, once.
pub(super) async fn verify(
    shared: &Shared,
    client: &ClientRegistration,
    assertion: &str,
) -> Option<()> {
    let lenient = client.is_wrong(OauthFault::AcceptsHs256Assertion);
    let claims = match hs256(client, assertion).filter(|_| lenient) {
        Some(it) => it,
        None => signature(shared, client, assertion).await?.claims,
    };
    let claims = &claims;
    let now = clock::now();
    jwt::check_times(claims, now.seconds(), SKEW_SECONDS).ok()?;
    let id = client.client_id.as_str();
    let own = |name: &str| claims.get(name).and_then(|it| it.as_str()) == Some(id);
    let exp = Timestamp::from_seconds(claims.get("exp")?.as_i64()?);
    // A list of servers is no server: whoever reads it there could use it here.
    let is_list = claims.get("aud").is_some_and(|it| !it.is_string());
    let is_long = now + Period::from_seconds(LIFE_SECONDS_MAX) < exp;
    let wrong = [
        (is_list, OauthFault::AcceptsAudienceList),
        (is_long, OauthFault::AcceptsLongAssertion),
        (!own("iss"), OauthFault::AcceptsForeignIssuer),
    ];
    if !own("sub") || wrong.into_iter().any(|(is, lapse)| is && !client.is_wrong(lapse)) {
        return None;
    }
    let jti = claims.get("jti").and_then(|it| it.as_str()).filter(|it| !it.is_empty())?;
    let mut pages = shared.book.open();
    pages.make_room(now);
    let once = Digest::of_parts(&[id.as_bytes(), jti.as_bytes()]);
    let until = exp + Period::from_seconds(SKEW_SECONDS.unsigned_abs());
    match pages.assertions.insert(once, until) {
        Some(seen) if now < seen && !client.is_wrong(OauthFault::AcceptsReplayedAssertion) => None,
        _ => Some(()),
    }
}

async fn signature(
    shared: &Shared,
    client: &ClientRegistration,
    assertion: &str,
) -> Option<Verified> {
    let mut registered = Vec::new();
    for key in &client.keys {
        registered.extend(VerifyingKey::from_jwk(key).ok());
    }
    for freshness in [Freshness::Kept, Freshness::New] {
        let mut keys = registered.clone();
        if let Some(url) = &client.jwks_uri {
            keys.extend(shared.keys.keys(&shared.http, url, freshness).await);
        }
        let anybody = client.is_wrong(OauthFault::AcceptsForeignAudience);
        let verified = if anybody {
            jwt::verify(assertion, &keys, Expect::default())
        } else {
            addressed(shared, assertion, &keys)
        };
        match verified {
            Ok(verified) => return Some(verified),
            // A key that was published a moment ago is looked for once more.
            Err(JwtError::UnknownKey) if client.jwks_uri.is_some() => {}
            Err(_) => return None,
        }
    }
    None
}

/// The audience is the issuer or one of its endpoints (RFC 9126, section 2), by name or by address.
fn addressed(
    shared: &Shared,
    assertion: &str,
    keys: &[VerifyingKey],
) -> Result<Verified, JwtError> {
    let mut last = JwtError::UnknownKey;
    for origin in &shared.origins {
        let endpoints = ["/oauth/token", "/oauth/par"].map(|it| format!("{origin}{it}"));
        for audience in endpoints.into_iter().chain([origin.clone()]) {
            let expect = Expect { audience: Some(&audience), ..Expect::default() };
            match jwt::verify(assertion, keys, expect) {
                Err(error @ JwtError::Unexpected { .. }) => last = error,
                other => return other,
            }
        }
    }
    Err(last)
}

/// The claims of a token whose HS256 signature verifies with a public key as secret: a lapse.
fn hs256(client: &ClientRegistration, assertion: &str) -> Option<serde_json::Value> {
    let decode = |it: &str| URL_SAFE_NO_PAD.decode(it).ok();
    let (input, signature) = assertion.rsplit_once('.')?;
    let (header, claims) = input.split_once('.')?;
    let header: serde_json::Value = serde_json::from_slice(&decode(header)?).ok()?;
    if header.get("alg")?.as_str()? != "HS256" {
        return None;
    }
    let signature = decode(signature)?;
    let fits = |key: &serde_json::Value| {
        let secret = key.get("x").and_then(|it| it.as_str()).and_then(decode);
        secret.is_some_and(|it| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &it);
            hmac::verify(&key, input.as_bytes(), &signature).is_ok()
        })
    };
    client.keys.iter().any(fits).then(|| serde_json::from_slice(&decode(claims)?).ok())?
}

/// Whom an assertion says that it is about, before anybody verified it: only to look up its keys.
fn claimed(assertion: &str) -> Option<String> {
    let claims = assertion.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // Both parts are form-encoded first (RFC 6749, section 2.3.1).
    let decode = |it: &str| {
        url::form_urlencoded::parse(format!("v={it}").as_bytes()).next().map(|it| it.1.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A field that no caller can send under this name.
const SECRET_IN_ADDRESS: &str = "\u{0}secret-in-address";
const SKEW_SECONDS: i64 = 2;
const LIFE_SECONDS_MAX: u64 = 300;
