//! What the platform's answers mean.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::certify::baseline::Granted;
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Identity;
use countersign_model::time::Timestamp;
use countersign_seal::SigningKey;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::live::http::Raw;
use crate::platform::{
    Answer, ApiAnswer, ClientCopy, ClientKind, FrontCopy, Held, Inventory, InventoryClient,
    InventoryCredential, PlatformFault, Seed, SendingKey, TokenAnswer, WebhookCopy,
};

/// How much of a foreign word is kept.
const WORD_CHARS_MAX: usize = 100;
/// How much of an answer is kept.
const BODY_BYTES_KEPT: usize = 64 * 1024;

fn unreadable(why: impl Into<String>) -> PlatformFault {
    PlatformFault::Unreadable(why.into())
}

/// The code of a refusal: of RFC 9457's problem or of RFC 6749's error; nothing when there is none.
fn code(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let code = value.get("code").or_else(|| value.get("error"))?.as_str()?;
    Some(word(code))
}

fn word(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(WORD_CHARS_MAX).collect()
}

fn refused(raw: &Raw) -> PlatformFault {
    PlatformFault::Refused { status: raw.status, code: code(&raw.body).unwrap_or_default() }
}

/// Whether it did what was asked.
pub(super) fn is_success(raw: &Raw) -> Result<(), PlatformFault> {
    if (200..300).contains(&raw.status) { Ok(()) } else { Err(refused(raw)) }
}

/// Whether an answer says of itself that it is JSON lines.
pub(super) fn is_lines(raw: &Raw) -> bool {
    let kind = raw.headers.iter().find(|(name, _)| name == "content-type");
    kind.is_some_and(|(_, it)| it.starts_with("application/x-ndjson"))
}

/// The JSON of an answer that says yes.
pub(super) fn json(raw: &Raw) -> Result<Value, PlatformFault> {
    is_success(raw)?;
    serde_json::from_slice(&raw.body).map_err(|it| unreadable(it.to_string()))
}

/// A list of a known kind.
pub(super) fn list<T: DeserializeOwned>(value: Value) -> Result<Vec<T>, PlatformFault> {
    parsed(value)
}

/// An answer of a known kind.
pub(super) fn parsed<T: DeserializeOwned>(value: Value) -> Result<T, PlatformFault> {
    serde_json::from_value(value).map_err(|it| unreadable(it.to_string()))
}

/// What an API answered; that it is broken is no answer.
pub(super) fn answer(raw: &Raw) -> Result<Answer, PlatformFault> {
    if 500 <= raw.status {
        return Err(refused(raw));
    }
    let is_success = (200..300).contains(&raw.status);
    let reason = if is_success { None } else { code(&raw.body) };
    Ok(Answer { status: raw.status, reason })
}

/// What an API answered, with the beginning of what stands in it.
pub(super) fn api_answer(raw: &Raw, took_ms: u64) -> Result<ApiAnswer, PlatformFault> {
    let Answer { status, reason } = answer(raw)?;
    let kept = &raw.body[..raw.body.len().min(BODY_BYTES_KEPT)];
    let body = String::from_utf8_lossy(kept).into_owned();
    Ok(ApiAnswer { status, reason, body, took_ms })
}

/// What a token endpoint answered (RFC 6749, sections 5.1 and 5.2).
pub(super) fn token(raw: &Raw) -> Result<TokenAnswer, PlatformFault> {
    if 500 <= raw.status {
        return Err(refused(raw));
    }
    let value: Value =
        serde_json::from_slice(&raw.body).map_err(|it| unreadable(it.to_string()))?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let answer = TokenAnswer {
        status: raw.status,
        access_token: text("access_token").map(str::to_owned),
        refresh_token: text("refresh_token").map(str::to_owned),
        expires_in: value.get("expires_in").and_then(Value::as_u64),
        scope: text("scope").map(str::to_owned),
        error: text("error").map(word),
        reason: text("error_description").map(word),
    };
    let is_success = (200..300).contains(&raw.status);
    match (is_success, &answer.access_token, &answer.error) {
        (true, Some(_), None) | (false, None, Some(_)) => Ok(answer),
        _ => Err(unreadable(format!("HTTP {} without a token or an error", raw.status))),
    }
}

/// Whether a token is active (RFC 7662, section 2.2).
pub(super) fn active(value: &Value) -> Result<bool, PlatformFault> {
    value.get("active").and_then(Value::as_bool).ok_or_else(|| unreadable("it has no `active`"))
}

/// An id that was given.
pub(super) fn id(value: &Value) -> Result<String, PlatformFault> {
    let id = value.get("id").and_then(Value::as_str).ok_or_else(|| unreadable("it has no `id`"))?;
    Ok(word(id))
}

/// A key, written as its seed.
pub(super) fn key(value: &Value) -> Result<SigningKey, PlatformFault> {
    seed(value).map(|it| it.key())
}

fn seed(value: &Value) -> Result<Seed, PlatformFault> {
    let seed = value.get("seed").and_then(Value::as_str);
    let seed = seed.and_then(|it| URL_SAFE_NO_PAD.decode(it).ok());
    let seed = seed.and_then(|it| <[u8; 32]>::try_from(it).ok());
    seed.map(Seed::new).ok_or_else(|| unreadable("it has no `seed` of 32 bytes"))
}

/// The key that signs the deliveries of a subscription.
pub(super) fn sending_key(value: &Value) -> Result<SendingKey, PlatformFault> {
    match value.get("secret").and_then(Value::as_str) {
        Some(text) => Ok(SendingKey::Secret(Zeroizing::new(text.to_owned()))),
        None => key(value).map(SendingKey::Private),
    }
}

/// A throw-away copy.
pub(super) fn copy(raw: &Raw) -> Result<ClientCopy, PlatformFault> {
    let value = json(raw)?;
    let client_id = value.get("client_id").and_then(Value::as_str);
    let client_id = client_id.ok_or_else(|| unreadable("it has no `client_id`"))?.to_owned();
    Ok(ClientCopy::new(client_id, seed(&value)?))
}

/// A throw-away copy of a client that acts through a browser.
pub(super) fn front_copy(raw: &Raw) -> Result<FrontCopy, PlatformFault> {
    let copy = copy(raw)?;
    let mut value = json(raw)?;
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    let (code_life_ms, original) = (number("code_life_ms"), number("code_life_ms_of_original"));
    let login = value.get_mut("login").map(Value::take).map(parsed).transpose()?;
    let redirects = value.get_mut("redirects").map(Value::take).unwrap_or_default();
    let redirects = parsed(redirects)?;
    Ok(FrontCopy { copy, redirects, code_life_ms, code_life_ms_of_original: original, login })
}

/// A token with which a client may register itself.
pub(super) fn invitation(raw: &Raw) -> Result<String, PlatformFault> {
    let value = json(raw)?;
    let token = value.get("token").and_then(Value::as_str).filter(|it| !it.is_empty());
    token.map(str::to_owned).ok_or_else(|| unreadable("it has no `token`"))
}

/// A throw-away copy of a webhook.
pub(super) fn webhook_copy(raw: &Raw) -> Result<WebhookCopy, PlatformFault> {
    let value = json(raw)?;
    let text = |name: &str| {
        let text = value.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
        text.map(str::to_owned).ok_or_else(|| unreadable(format!("it has no `{name}`")))
    };
    let (key, seed) = match sending_key(&value)? {
        SendingKey::Private(_) => {
            let seed = seed(&value)?;
            (SendingKey::Private(seed.key()), Some(seed))
        }
        secret @ SendingKey::Secret(_) => (secret, None),
    };
    Ok(WebhookCopy { id: id(&value)?, path: text("path")?, scheme: text("scheme")?, key, seed })
}

/// What one client is registered with, a copy too; none where the list is empty.
pub(super) fn registered(clients: Value) -> Result<Option<Granted>, PlatformFault> {
    let clients: Vec<ListedClient> = list(clients)?;
    Ok(clients.into_iter().next().map(ListedClient::granted))
}

/// How many tokens a client gets in an hour; none where nothing limits it.
pub(super) fn ceiling(clients: &Value) -> Result<Option<u32>, PlatformFault> {
    let listed = clients.get(0).and_then(|it| it.get("max_per_hour"));
    match listed.ok_or_else(|| unreadable("it names no `max_per_hour`"))? {
        Value::Null => Ok(None),
        it => it
            .as_u64()
            .and_then(|it| u32::try_from(it).ok())
            .map(Some)
            .ok_or_else(|| unreadable("`max_per_hour` is no number")),
    }
}

#[derive(Debug, Deserialize)]
struct ListedClient {
    client_id: String,
    enabled: bool,
    auth: String,
    scopes: BTreeSet<String>,
    keys: BTreeSet<String>,
    redirect_uris: BTreeSet<String>,
    token_ttl_seconds: u64,
    refresh_ttl_seconds: u64,
    #[serde(default)]
    copy_of: Option<String>,
    integration: String,
    owner: String,
    roles: BTreeSet<String>,
    built_in: bool,
    kind: ClientKind,
    credentials: Vec<InventoryCredential>,
    created_at: Timestamp,
    last_used: Option<Timestamp>,
}

impl ListedClient {
    fn granted(self) -> Granted {
        Granted {
            enabled: self.enabled,
            auth: self.auth,
            scopes: self.scopes,
            keys: self.keys,
            redirect_uris: self.redirect_uris,
            token_ttl_seconds: self.token_ttl_seconds,
            refresh_ttl_seconds: self.refresh_ttl_seconds,
            roles: Some(self.roles),
            credentials: Some(self.credentials.into_iter().map(|it| it.id).collect()),
            owner: Some(self.owner),
        }
    }

    fn known(self) -> InventoryClient {
        let owner = Some(self.owner.clone()).filter(|it| !it.is_empty());
        InventoryClient {
            client_id: self.client_id.clone(),
            name: None,
            integration: Some(self.integration.clone()).filter(|it| !it.is_empty()),
            owner,
            kind: self.kind,
            built_in: self.built_in,
            copy_of: self.copy_of.clone(),
            roles: self.roles.iter().cloned().collect(),
            credentials: self.credentials.clone(),
            created: Some(self.created_at),
            last_used: self.last_used,
            granted: self.granted(),
        }
    }
}

/// Every client of a listing.
pub(super) fn inventory(clients: Value) -> Result<Inventory, PlatformFault> {
    let clients: Vec<ListedClient> = list(clients)?;
    let clients = clients.into_iter().map(ListedClient::known).collect();
    Ok(Inventory { clients, unread: Vec::new() })
}

/// A record of JSON lines.
pub(super) fn records<T: DeserializeOwned>(lines: &[u8]) -> Result<Vec<T>, PlatformFault> {
    let lines = lines.split(|it| *it == b'\n').filter(|it| !it.trim_ascii().is_empty());
    lines.map(|it| serde_json::from_slice(it).map_err(|it| unreadable(it.to_string()))).collect()
}

/// What is held for a manifest. Throw-away copies are ours and left out.
pub(super) fn held(
    manifest: &Manifest,
    clients: Value,
    subscriptions: Value,
) -> Result<Held, PlatformFault> {
    let declared: BTreeSet<&str> = manifest.identities.iter().map(Identity::client_id).collect();
    let clients: Vec<ListedClient> = list(clients)?;
    let mut granted = BTreeMap::new();
    let mut undeclared = BTreeSet::new();
    let mut credentials = BTreeMap::new();
    for it in clients.into_iter().filter(|it| it.copy_of.is_none()) {
        if !declared.contains(it.client_id.as_str()) {
            undeclared.insert(it.client_id);
            continue;
        }
        credentials.insert(it.client_id.clone(), it.credentials.clone());
        granted.insert(it.client_id.clone(), it.granted());
    }
    Ok(Held { granted, undeclared, subscriptions: list(subscriptions)?, credentials })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn raw(status: u16, body: &str) -> Raw {
        Raw { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_token_endpoint_grants_refuses_or_makes_no_sense() {
        let table = [
            (200, r#"{"access_token":"t","expires_in":60,"scope":"a"}"#, "granted"),
            (400, r#"{"error":"invalid_scope","error_description":null}"#, "invalid_scope"),
            (401, r#"{"error":"invalid_client","error_description":"suspended"}"#, "suspended"),
            (200, "", "unreadable"),
            (200, "{}", "unreadable"),
            (200, r#"{"error":"invalid_scope"}"#, "unreadable"),
            (400, "{}", "unreadable"),
            (404, "<html>", "unreadable"),
            (500, r#"{"error":"server_error"}"#, "refused 500 server_error"),
            (502, "", "refused 502 "),
        ];
        for (status, body, expected) in table {
            let got = match token(&raw(status, body)) {
                Ok(it) if it.access_token.is_some() => "granted".to_owned(),
                Ok(it) => it.reason.or(it.error).unwrap(),
                Err(PlatformFault::Unreadable(_)) => "unreadable".to_owned(),
                Err(PlatformFault::Refused { status, code }) => format!("refused {status} {code}"),
                Err(other) => other.to_string(),
            };
            assert_eq!(got, expected, "{status} {body}");
        }
    }

    #[test]
    fn an_answer_carries_the_code_of_its_refusal() {
        let answer = |status, body| answer(&raw(status, body)).map(|it| it.reason);
        assert_eq!(answer(200, r#"{"code":"x"}"#).unwrap(), None);
        assert_eq!(answer(403, r#"{"code":"suspended"}"#).unwrap(), Some("suspended".to_owned()));
        assert_eq!(answer(403, "no").unwrap(), None);
        assert!(matches!(
            answer(503, r#"{"code":"x"}"#),
            Err(PlatformFault::Refused { status: 503, .. })
        ));
        let long = format!(r#"{{"code":"{}"}}"#, "x".repeat(5_000));
        assert_eq!(answer(403, &long).unwrap().unwrap().len(), WORD_CHARS_MAX);
    }

    #[test]
    fn what_is_held_is_split_by_what_is_declared() {
        let parsed = countersign_model::declare::parse(
            crate::fact::SAAS,
            countersign_model::declare::Format::Toml,
        );
        let manifest = parsed.unwrap().manifest;
        let client = |id: &str, copy_of: Option<&str>| {
            json!({
                "client_id": id, "integration": "acme-helpdesk", "enabled": true, "auth": "x",
                "scopes": ["a"], "keys": [], "redirect_uris": [], "token_ttl_seconds": 600,
                "refresh_ttl_seconds": 0, "copy_of": copy_of, "alerts": [],
                "created_at": "2026-11-24T10:00:00Z", "last_used": null, "owner": "lena",
                "roles": [], "built_in": false, "kind": "service-account", "credentials": [],
            })
        };
        let clients = json!([
            client("acme-helpdesk", None),
            client("acme-legacy", None),
            client("acme-helpdesk.copy-1", Some("acme-helpdesk")),
        ]);
        let held = held(&manifest, clients, json!([])).unwrap();
        assert_eq!(held.granted.keys().collect::<Vec<_>>(), ["acme-helpdesk"]);
        assert_eq!(held.undeclared.into_iter().collect::<Vec<_>>(), ["acme-legacy"]);
        let broken = super::held(&manifest, json!([{"client_id": "acme-helpdesk"}]), json!([]));
        assert!(matches!(broken, Err(PlatformFault::Unreadable(_))));
    }

    #[test]
    fn a_key_is_a_seed_of_thirty_two_bytes() {
        let seed = |bytes: &[u8]| json!({ "seed": URL_SAFE_NO_PAD.encode(bytes) });
        assert!(key(&seed(&[1; 32])).is_ok());
        for value in [seed(&[1; 31]), json!({}), json!({"seed": "*"}), json!([])] {
            assert!(matches!(key(&value), Err(PlatformFault::Unreadable(_))), "{value}");
        }
    }
}
