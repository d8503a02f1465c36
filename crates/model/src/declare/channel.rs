//! Calls, events, jobs and data that go in and out, as a manifest declares them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{HttpsUrl, PathId};
use crate::time::Period;

/// An address that receives codes or tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// Its name in this manifest: `cb:oauth`.
    pub id: PathId,
    /// What it is: `oauth-redirect`.
    pub kind: String,
    /// Where it is.
    pub url: HttpsUrl,
    /// The call that begins a sign-in at a test build, whose issuer stands for `{issuer}`:
    /// `GET https://app.acme.example/login?issuer={issuer}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// The parameters that say where a user goes after a sign-in: `return_to`, `next`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub landing: Vec<String>,
    /// Ways to revoke it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoke_by: Vec<String>,
}

/// Which way data or calls go, seen from the platform.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the partner to us.
    In,
    /// From us to the partner.
    Out,
}

/// How a delivery is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// The scheme.
    pub scheme: WebhookScheme,
    /// The kind of key: `ed25519` or `hmac-sha256`.
    pub key: WebhookKey,
    /// How old a delivery may be.
    pub replay_window: Period,
    /// How often the key is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_every: Option<Period>,
    /// The name under which the server holds the shared secret of the test tenant; never the secret.
    /// Not needed where the platform hands it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<String>,
    /// How the receiver is told its next key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_key: Option<NextKey>,
}

/// How a receiver is told the key with which deliveries will be signed next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextKey {
    /// The call: `PUT https://…`. Its body is `{"secret": "…"}` or `{"public_key": "…"}`, written as
    /// the scheme writes it. A 2xx means that deliveries with either key are taken from now on.
    pub call: String,
    /// The name under which the server holds the secret that opens it; never the secret.
    pub auth_ref: String,
    /// How long the old key verifies beside the new one.
    pub overlap: Period,
}

/// How a delivery is signed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookScheme {
    /// GitHub's `X-Hub-Signature-256`.
    Github,
    /// HTTP message signatures, RFC 9421.
    HttpMessageSignatures,
    /// A security event token, RFC 8417.
    Set,
    /// Shopify's `X-Shopify-Hmac-Sha256`.
    Shopify,
    /// Slack's `X-Slack-Signature`.
    Slack,
    /// Standard Webhooks 1.0.
    StandardWebhooks,
    /// Stripe's `Stripe-Signature`.
    Stripe,
}

/// The kind of key that signs a delivery.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookKey {
    /// A key pair.
    Ed25519,
    /// A shared secret.
    HmacSha256,
}

/// A signed call of the partner to the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its name in this manifest: `hook:ticket-events`.
    pub id: PathId,
    /// Always `in`: they call us.
    pub direction: Direction,
    /// The address at the platform.
    pub url: HttpsUrl,
    /// How it is signed.
    pub signing: Signing,
    /// The access outcomes that it may influence; the gate refuses others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_cause: Vec<String>,
    /// How often the partner tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_every: Option<Period>,
    /// The call that registers an address to deliver to, with the JSON body `{"url": "…"}`:
    /// `POST https://api.acme.example/hooks`. It answers `{"id": "…"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<String>,
    /// The call that causes one delivery to every registered address; `{id}` stands for the answered id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// The call that ends a registration; `{id}` stands for the answered id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unregister: Option<String>,
    /// The name under which the server holds the secret that opens these calls; never the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_ref: Option<String>,
    /// Ways to revoke it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoke_by: Vec<String>,
}

/// Events that the platform sends to the partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSubscription {
    /// Its name in this manifest: `sub:user.lifecycle`.
    pub id: PathId,
    /// Always `out`: we call them.
    pub direction: Direction,
    /// The kinds of event.
    pub types: Vec<String>,
    /// Where they go.
    pub endpoint: HttpsUrl,
    /// The fields that leave, and nothing else.
    pub fields: Vec<String>,
    /// How deliveries are signed.
    pub signing: Signing,
    /// How often a delivery is tried again; silence is judged against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_every: Option<Period>,
    /// Of security events (scheme `set`): whom they are for, and how their effect can be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// How the subscription is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable: Option<Disable>,
    /// Ways to revoke it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoke_by: Vec<String>,
}

/// A stream of security events (RFC 8935, CAEP 1.0).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// The `aud` of each event.
    pub audience: String,
    /// The name under which the server holds the transmitter's bearer token; never the token.
    pub auth_ref: String,
    /// What signs: the receiver finds the key in the transmitter's key set.
    #[serde(default)]
    pub alg: StreamAlg,
    /// How soon after an event the subject's access is refused.
    pub within: Period,
    /// How the effect of an event on a subject can be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
}

/// What signs a security event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum StreamAlg {
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA over P-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA, as the interoperability profile of CAEP wants it.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
}

/// A subject that exists so that events about it can be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// Its id, sent as `sub_id` of the format `opaque` (RFC 9493); left out where `open` makes another
    /// one each time and answers its `subject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The call that signs it in anew and enables it: `POST https://…`. It answers
    /// `{"session": "…", "key": "…"}`: two bearer tokens, of a session and of a key of the subject.
    pub open: String,
    /// The name under which the server holds the secret that opens `open`; never the secret.
    pub auth_ref: String,
    /// The call that either token opens: `GET https://…`.
    pub access: String,
    /// The `credential_type` under which the key is revoked.
    #[serde(default = "api_key")]
    pub credential_type: String,
}

fn api_key() -> String {
    "api-key".to_owned()
}

/// How a subscription is switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disable {
    /// How soon after the command nothing is delivered any more.
    pub within: Period,
    /// When this is rehearsed: `every-run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// Whether queued deliveries go too.
    #[serde(default)]
    pub drop_queued: bool,
}

/// A job that runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Automation {
    /// Its name in this manifest: `job:nightly-reconcile`.
    pub id: PathId,
    /// When it runs: `02:00 UTC daily`.
    pub schedule: String,
    /// The access outcomes that it may cause; the gate refuses others.
    pub may_cause: Vec<String>,
    /// How many of each it may cause in one run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, u32>,
    /// Ways to revoke it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoke_by: Vec<String>,
}

/// How an effect can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EffectsKind {
    /// `GET ?since=` answers JSON lines {time, delivery id, effect}.
    Feed,
    /// `GET` answers the canary object's state and version.
    Object,
}

/// An effect oracle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effects {
    /// How it answers.
    pub kind: EffectsKind,
    /// Where it is.
    pub url: HttpsUrl,
    /// The name under which the server holds the secret that opens it; never the secret.
    pub auth_ref: String,
    /// How long until an effect shows.
    pub settle: Period,
}

/// A way that data takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataPath {
    /// Its name in this manifest: `dp:user-basics`.
    pub id: PathId,
    /// Which way the data goes.
    pub direction: Direction,
    /// What kinds of data.
    pub data_classes: Vec<String>,
    /// The other end.
    pub endpoint: HttpsUrl,
    /// Where in the world it is kept.
    pub region: String,
}

/// Somebody else who holds or sees our credentials or data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// Who.
    pub name: String,
    /// What they hold: data classes, or ids of identities.
    pub holds: Vec<String>,
    /// What for.
    #[serde(rename = "for")]
    pub purpose: String,
}
