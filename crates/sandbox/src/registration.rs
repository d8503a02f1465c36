//! What is registered at a platform, as its administrators write it down.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{IdentityKind, Webhook, WebhookScheme};
use countersign_model::time::Period;
use countersign_seal::Digest;
use countersign_seal::scheme::{self, Scheme};
use serde::{Deserialize, Serialize};

use crate::AccessFault;
use crate::OauthFault;
use crate::partner::FrontFault;

/// A way in which the platform itself is wrong about a client, and about every copy of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lapse {
    /// It is granted whatever scope it asks for.
    GrantsAnyScope,
    /// Its tokens stay alive when they are revoked.
    KeepsRevokedTokens,
    /// Some of its token requests are not written down.
    LosesTokenRequests,
    /// Its tokens stay alive when they are revoked, and its API forgets to ask if it is enabled.
    TokensOutliveDisable,
    /// The front channel of the authorization server is wrong about it.
    #[serde(untagged)]
    Front(FrontFault),
    /// It is wrong behind the token endpoint.
    #[serde(untagged)]
    Oauth(OauthFault),
    /// It reaches more than it may, or loses less than it should.
    #[serde(untagged)]
    Access(AccessFault),
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientRegistration {
    /// Its id.
    pub client_id: String,
    /// Whom it belongs to.
    pub integration: String,
    /// How it proves itself: `private_key_jwt`, `client_secret_basic`, `client_secret_post`, or `none`
    /// where it is public.
    pub auth: String,
    /// What it may ask for.
    #[serde(default)]
    pub scopes: BTreeSet<String>,
    /// Its public keys, as JSON Web Keys.
    #[serde(default)]
    pub keys: Vec<serde_json::Value>,
    /// Where its public keys are published.
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// SHA-256 of its shared secret.
    #[serde(default)]
    pub secret_sha256: Option<Digest>,
    /// Where codes may be sent, by the manifest's name of the callback.
    #[serde(default)]
    pub redirects: BTreeMap<String, String>,
    /// The grants that it may use.
    #[serde(default = "client_credentials")]
    pub grant_types: BTreeSet<String>,
    /// How long its tokens live.
    pub token_ttl_seconds: u64,
    /// How long a refresh family lives; 0 where it may not refresh.
    #[serde(default)]
    pub refresh_ttl_seconds: u64,
    /// How its people sign in, and what its requests and codes are bound to.
    #[serde(default)]
    pub front: FrontChannel,
    /// From where its tokens may be used; from everywhere where it is empty.
    #[serde(default)]
    pub networks: Vec<String>,
    /// How many tokens it gets in an hour at most; as many as it asks for when none.
    #[serde(default)]
    pub max_per_hour: Option<u32>,
    /// The alerts that are wired for it, in the manifest's words.
    #[serde(default)]
    pub alerts: BTreeSet<String>,
    /// Whose it is at the platform, and what it holds beside scopes and its declared credential.
    #[serde(default)]
    pub extras: Extras,
    /// Where the platform is wrong about it; nowhere, on a right one.
    #[serde(default)]
    pub lapses: BTreeSet<Lapse>,
}

/// Whose a client is at the platform, and what it holds beside scopes and its declared credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Extras {
    /// Who owns it there.
    pub owner: Option<String>,
    /// Its roles.
    pub roles: BTreeSet<String>,
    /// SHA-256 of further secrets, each of which is taken, however else it proves itself.
    pub secrets: BTreeSet<Digest>,
    /// Whether it came with the platform.
    pub built_in: bool,
}

impl Extras {
    /// What a throw-away copy takes over: it has a key of its own and no other credential.
    pub(crate) fn of_a_copy(&self) -> Self {
        Self { secrets: BTreeSet::new(), ..self.clone() }
    }
}

/// How people sign in at a client, and what its requests and codes are bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FrontChannel {
    /// How long a code lives, in milliseconds.
    pub code_life_ms: u64,
    /// How long a pushed request lives, in seconds.
    pub request_life_seconds: u64,
    /// Whether it has to push its requests (RFC 9126, section 6).
    pub must_push: bool,
    /// Who has to sign in; where there is nobody, the sandbox's person always agrees.
    pub login: Option<Login>,
}

impl Default for FrontChannel {
    fn default() -> Self {
        Self { code_life_ms: 60_000, request_life_seconds: 60, must_push: false, login: None }
    }
}

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name.
    pub user: String,
    /// SHA-256 of the password.
    pub password_sha256: Digest,
}

impl ClientRegistration {
    /// Whether the platform is wrong about it in this way.
    pub(crate) fn is_wrong(&self, fault: OauthFault) -> bool {
        self.lapses.contains(&Lapse::Oauth(fault))
    }
}

/// An event subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionRegistration {
    /// Its id.
    pub id: String,
    /// The kinds of event.
    pub types: BTreeSet<String>,
    /// Where they go.
    pub endpoint: String,
    /// The fields that leave, and nothing else; all of them where it is empty.
    #[serde(default)]
    pub fields: BTreeSet<String>,
    /// How soon a failed delivery is tried again.
    #[serde(default = "one_second")]
    pub retry_every_ms: u64,
    /// Whether disabling drops what waits.
    #[serde(default)]
    pub drop_queued: bool,
    /// Whether what happens while it is disabled is kept for later: a lapse.
    #[serde(default)]
    pub keeps_for_later: bool,
    /// How deliveries are signed.
    #[serde(default = "standard_webhooks")]
    pub scheme: WebhookScheme,
    /// The shared secret that signs them, as the scheme writes it; the platform's own key where
    /// there is none.
    #[serde(default)]
    pub secret: Option<String>,
    /// The declared subscription in whose name it receives, where it is not declared itself.
    #[serde(default)]
    pub relay_of: Option<String>,
}

/// A webhook: an address of the platform that a partner calls with a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookRegistration {
    /// Its id.
    pub id: String,
    /// Its address, as declared. Its path is where it is called at each tenant.
    pub url: String,
    /// How calls are signed. What becomes of their ids follows from it: a signed id stands for one
    /// message; where the id is not signed, or there is none, the body does.
    #[serde(default = "standard_webhooks")]
    pub scheme: WebhookScheme,
    /// What verifies them: one of these keys is enough.
    pub keys: Vec<CallerKey>,
    /// How old or early a call may be, in seconds; none where the scheme signs no time.
    #[serde(default)]
    pub tolerance_seconds: Option<i64>,
}

/// What verifies the calls of a partner. A secret never shows in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerKey {
    /// A public key: `whpk_` and base64.
    Public(String),
    /// A shared secret, as the scheme writes it.
    Secret(String),
}

impl fmt::Debug for CallerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public(it) => write!(formatter, "Public({it})"),
            Self::Secret(_) => formatter.write_str("Secret(..)"),
        }
    }
}

fn standard_webhooks() -> WebhookScheme {
    WebhookScheme::StandardWebhooks
}

fn client_credentials() -> BTreeSet<String> {
    BTreeSet::from(["client_credentials".to_owned()])
}

fn one_second() -> u64 {
    1_000
}

/// The clients that a manifest declares, granted exactly what it declares.
pub fn clients(manifest: &Manifest) -> Vec<ClientRegistration> {
    let redirects: BTreeMap<String, String> =
        manifest.callbacks.iter().map(|it| (it.id.to_string(), it.url.to_string())).collect();
    let networks = manifest.declared_use.as_ref().map(|it| it.networks.clone());
    let networks = networks.unwrap_or_default();
    let oauth = |kind| matches!(kind, IdentityKind::OauthClient | IdentityKind::ServiceAccount);
    let of_identity = |it: &countersign_model::declare::manifest::Identity| {
        let refresh = it.refresh.as_ref().filter(|it| it.allowed);
        let mut grant_types = client_credentials();
        if refresh.is_some() {
            grant_types.insert("refresh_token".to_owned());
        }
        if !redirects.is_empty() {
            grant_types.insert("authorization_code".to_owned());
        }
        let life = it.max_token_ttl;
        ClientRegistration {
            client_id: it.client_id().to_owned(),
            integration: manifest.integration.id.to_string(),
            auth: it.auth.word().to_owned(),
            scopes: it.scopes.iter().map(|it| it.name.to_string()).collect(),
            keys: Vec::new(),
            jwks_uri: it.jwks.as_ref().map(ToString::to_string),
            secret_sha256: None,
            redirects: redirects.clone(),
            grant_types,
            token_ttl_seconds: life.seconds(),
            refresh_ttl_seconds: refresh
                .map_or(0, |it| it.max_age.map_or(life.seconds(), Period::seconds)),
            front: FrontChannel::default(),
            networks: networks.clone(),
            max_per_hour: manifest.declared_use.as_ref().and_then(|it| it.max_per_hour),
            alerts: manifest.alerts.iter().map(|it| it.signal.clone()).collect(),
            extras: Extras { owner: Some(manifest.owners.business.clone()), ..Extras::default() },
            lapses: BTreeSet::new(),
        }
    };
    manifest.identities.iter().filter(|it| oauth(it.kind)).map(of_identity).collect()
}

/// The subscriptions that a manifest declares.
pub fn subscriptions(manifest: &Manifest) -> Vec<SubscriptionRegistration> {
    let one =
        |it: &countersign_model::declare::manifest::EventSubscription| SubscriptionRegistration {
            id: it.id.to_string(),
            types: it.types.iter().cloned().collect(),
            endpoint: it.endpoint.to_string(),
            fields: it.fields.iter().cloned().collect(),
            retry_every_ms: it.retry_every.map_or_else(one_second, Period::millis),
            drop_queued: it.disable.as_ref().is_some_and(|it| it.drop_queued),
            keeps_for_later: false,
            scheme: it.signing.scheme,
            secret: None,
            relay_of: None,
        };
    manifest.events.iter().map(one).collect()
}

/// The webhooks that a manifest declares, each with the partner's key for it.
pub fn webhooks(
    manifest: &Manifest,
    key: impl Fn(&Webhook) -> Option<CallerKey>,
) -> Vec<WebhookRegistration> {
    let one = |it: &Webhook| {
        let signs_time = scheme_of(it.signing.scheme).is_some_and(|it| it.facts().time.is_some());
        let window = i64::try_from(it.signing.replay_window.seconds()).unwrap_or(i64::MAX);
        WebhookRegistration {
            id: it.id.to_string(),
            url: it.url.to_string(),
            scheme: it.signing.scheme,
            keys: key(it).into_iter().collect(),
            tolerance_seconds: signs_time.then_some(window),
        }
    };
    manifest.webhooks.iter().map(one).collect()
}

/// The scheme that a manifest names.
pub(crate) fn scheme_of(word: WebhookScheme) -> Option<&'static dyn Scheme> {
    scheme::find(serde_json::to_value(word).ok()?.as_str()?)
}
