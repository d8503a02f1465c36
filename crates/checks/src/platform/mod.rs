//! Platforms: what is granted there, what happened there, and how trust is cut there.
//!
//! A connector holds two credentials: one that reads, one that kills. It never holds a credential
//! of an integration; drills act with a throw-away copy of a client instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;
use countersign_model::certify::baseline::Granted;
use countersign_model::declare::Manifest;
use countersign_model::declare::path::PathKind;
use countersign_model::declare::words::Slug;
use countersign_model::time::Timestamp;
use countersign_seal::{Digest, PublicKey, SigningKey};
use serde::{Deserialize, Serialize};

pub mod sandbox;

/// A platform, or one tenant of it.
#[async_trait]
pub trait Platform: Send + Sync + fmt::Debug {
    /// The issuer, as its tokens and assertions name it: `https://test.id.example.com`.
    fn issuer(&self) -> &str;

    /// Where tokens are asked for.
    fn token_endpoint(&self) -> String;

    /// What the platform holds for the identities of this manifest, and for the integration beside them.
    async fn granted(&self, manifest: &Manifest) -> Result<Held, PlatformError>;

    /// Every scope that the platform knows, with the calls that need it: `DELETE /v1/tenants/{id}`.
    /// Empty where it does not say.
    async fn scopes(&self) -> Result<BTreeMap<String, BTreeSet<String>>, PlatformError> {
        Ok(BTreeMap::new())
    }

    /// The platform's own record of token requests, as JSON lines: one client's, from a moment on.
    async fn token_log(&self, client: &str, since: Timestamp) -> Result<Vec<u8>, PlatformError>;

    /// The platform's own record of token uses, as JSON lines: one client's, from a moment on.
    async fn access_log(&self, client: &str, since: Timestamp) -> Result<Vec<u8>, PlatformError>;

    /// What the partner pushed as its own log, as JSON lines.
    async fn pushed_log(&self, integration: &Slug) -> Result<Vec<u8>, PlatformError>;

    /// What is accepted as proof of the integration's clients, without any secret half. A platform that
    /// does not tell says nothing.
    async fn accepted(&self, integration: &Slug) -> Result<Accepted, PlatformError> {
        let _ = integration;
        Ok(Accepted::default())
    }

    /// The alerts that were raised.
    async fn alerts(&self, integration: &Slug) -> Result<Vec<RaisedAlert>, PlatformError>;

    /// The deliveries that were tried from a moment on, to any endpoint of the integration.
    async fn deliveries(
        &self,
        integration: &Slug,
        since: Timestamp,
    ) -> Result<Vec<Delivery>, PlatformError>;

    /// The webhooks of the integration's that came in from a moment on, with what their signature came to.
    async fn received(
        &self,
        integration: &Slug,
        since: Timestamp,
    ) -> Result<Vec<ReceivedCall>, PlatformError>;

    /// Disables, enables, empties or deletes a client.
    async fn client(&self, client: &str, change: ClientChange) -> Result<(), PlatformError>;

    /// Makes a throw-away copy of a client, with its own key pair.
    async fn copy_client(&self, client: &str) -> Result<ClientCopy, PlatformError>;

    /// Disables, enables or purges a subscription.
    async fn subscription(
        &self,
        integration: &Slug,
        subscription: &str,
        change: SubscriptionChange,
    ) -> Result<(), PlatformError>;

    /// The key that signs events for this integration; a test tenant's only.
    async fn signing_key(&self, integration: &Slug) -> Result<SigningKey, PlatformError>;

    /// Takes away or gives back the partner's key for a webhook.
    async fn webhook_key(
        &self,
        integration: &Slug,
        webhook: &str,
        change: Presence,
    ) -> Result<(), PlatformError>;

    /// Takes away or gives back the redirect addresses of a client.
    async fn redirects(&self, client: &str, change: Presence) -> Result<(), PlatformError>;

    /// Produces an event, as if it had happened, and says under which id.
    async fn emit(&self, kind: &str, data: &serde_json::Value) -> Result<String, PlatformError>;

    /// Asks for a token as a copy.
    async fn request_token(
        &self,
        copy: &ClientCopy,
        request: &TokenRequest,
    ) -> Result<TokenAnswer, PlatformError>;

    /// Uses a token at the platform's API.
    async fn use_token(
        &self,
        token: &str,
        method: &str,
        path: &str,
        from: Option<IpAddr>,
    ) -> Result<Answer, PlatformError>;

    /// Whether the platform calls this token active.
    async fn introspect(&self, token: &str) -> Result<bool, PlatformError>;

    /// Knocks at a path without any credential of the integration's: only to see whether the gate in
    /// front of it is shut. A shut gate answers 403 with its reason; an open one leads to a refusal
    /// for the missing credential (401). The subject of a token path is the client. Nothing is done.
    async fn knock(
        &self,
        integration: &Slug,
        kind: PathKind,
        subject: &str,
    ) -> Result<Answer, PlatformError>;

    /// Runs an automation that would cause these outcomes.
    async fn run_job(
        &self,
        integration: &Slug,
        job: &str,
        causes: &BTreeMap<String, u32>,
    ) -> Result<Answer, PlatformError>;

    /// Runs an automation with a token of the identity that it belongs to.
    async fn run_job_as(
        &self,
        token: &str,
        integration: &Slug,
        job: &str,
    ) -> Result<Answer, PlatformError> {
        let (_, _) = (token, integration);
        Err(PlatformError::unable(format!("run {job} with a token")))
    }

    /// Asks for a code to be sent to a redirect of a client, as a browser does. It follows nothing.
    async fn authorize(&self, client: &str, redirect: &str) -> Result<Answer, PlatformError> {
        let _ = redirect;
        Err(PlatformError::unable(format!("authorize {client}")))
    }

    /// Makes a throw-away copy of a webhook, with its own key pair.
    async fn copy_webhook(
        &self,
        integration: &Slug,
        webhook: &str,
    ) -> Result<WebhookCopy, PlatformError> {
        let _ = integration;
        Err(PlatformError::unable(format!("copy the webhook {webhook}")))
    }

    /// Takes a copy of a webhook away.
    async fn delete_webhook(&self, integration: &Slug, copy: &str) -> Result<(), PlatformError> {
        let _ = integration;
        Err(PlatformError::unable(format!("delete the webhook {copy}")))
    }

    /// Calls in as the partner does, signed with the key of a copy.
    async fn call_webhook(
        &self,
        integration: &Slug,
        copy: &WebhookCopy,
    ) -> Result<Answer, PlatformError> {
        let _ = integration;
        Err(PlatformError::unable(format!("call the webhook {}", copy.id)))
    }
}

/// What a platform holds for one integration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Held {
    /// By client id. Declared identities that the platform does not know are missing.
    pub granted: BTreeMap<String, Granted>,
    /// Clients that the platform files under this integration and no identity declares.
    pub undeclared: BTreeSet<String>,
    /// Every subscription that is filed under this integration.
    pub subscriptions: Vec<HeldSubscription>,
}

impl Held {
    /// Event types of the enabled subscriptions, by id: what a baseline holds.
    pub fn active_subscriptions(&self) -> BTreeMap<String, BTreeSet<String>> {
        let active = self.subscriptions.iter().filter(|it| it.enabled);
        active.map(|it| (it.id.clone(), it.types.clone())).collect()
    }
}

/// What a platform accepts as proof of an integration's clients, as far as it may be told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Accepted {
    /// Registered public keys, as JSON Web Keys.
    pub keys: Vec<serde_json::Value>,
    /// SHA-256 digests of shared secrets.
    pub secrets: Vec<Digest>,
}

/// One event subscription at a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSubscription {
    /// Its id.
    pub id: String,
    /// Whom it belongs to.
    pub integration: String,
    /// The kinds of event.
    pub types: BTreeSet<String>,
    /// Where they go.
    pub endpoint: String,
    /// Whether it is on.
    pub enabled: bool,
    /// How many deliveries wait.
    pub queued: usize,
}

/// An alert that was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedAlert {
    /// What raised it, in the manifest's words.
    pub signal: String,
    /// When.
    pub at: Timestamp,
    /// About whom; a copy's alert names the copy.
    pub client_id: String,
}

/// One attempt to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// When it was tried.
    pub time: Timestamp,
    /// The id that the receiver sees.
    pub id: String,
    /// Whom it went to.
    pub integration: String,
    /// Over which subscription.
    pub subscription: String,
    /// The kind of event.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it went.
    pub endpoint: String,
    /// What the receiver answered; none when it did not.
    pub status: Option<u16>,
    /// `delivered`, `failed`, or the reason why the gate denied it.
    pub result: String,
}

/// One webhook of a partner's that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedCall {
    /// When it came.
    pub time: Timestamp,
    /// Whom its address belongs to.
    pub integration: String,
    /// Which webhook it is; only a key tells, so none where none verified it.
    pub webhook: Option<String>,
    /// Where it came from.
    pub ip: String,
    /// `verified`, `unsigned`, `bad-signature`, `too-old`, `too-new`, or why it was not looked at.
    pub result: String,
}

/// What may be done to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientChange {
    /// It is gone for good. A copy may be deleted by one person, another client by two.
    Delete,
    /// It may not act.
    Disable,
    /// It may act again.
    Enable,
    /// Every token and refresh token of it is dead.
    RevokeTokens,
}

/// What may be done to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionChange {
    /// Nothing is delivered any more.
    Disable,
    /// Events are delivered again.
    Enable,
    /// Whatever waits is dropped.
    Purge,
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is taken away.
    Remove,
    /// It is given back.
    Restore,
}

/// A throw-away copy of a client. Its key exists here and nowhere else.
#[derive(Debug, Clone)]
pub struct ClientCopy {
    /// Its id.
    pub client_id: String,
    /// Its key.
    pub key: SigningKey,
}

impl ClientCopy {
    /// The key that the platform accepts from it.
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }
}

/// A throw-away copy of a webhook. Its key exists here and nowhere else.
#[derive(Debug, Clone)]
pub struct WebhookCopy {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: SigningKey,
}

/// A request for a token.
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    /// The grant; `client_credentials` when none.
    pub grant: Option<String>,
    /// The scopes; what the client may have when none.
    pub scope: Option<String>,
    /// For `refresh_token`.
    pub refresh_token: Option<String>,
    /// Fields of ours: `actor`, `order_id`, `purpose`, `seq`.
    pub fields: BTreeMap<String, String>,
    /// The address that it is sent from.
    pub from: Option<IpAddr>,
}

/// What a token endpoint answered. Its tokens never show in `Debug`.
#[derive(Clone, Default)]
pub struct TokenAnswer {
    /// The status.
    pub status: u16,
    /// The token.
    pub access_token: Option<String>,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// How long it lives, in seconds.
    pub expires_in: Option<u64>,
    /// The granted scopes.
    pub scope: Option<String>,
    /// The error code of RFC 6749.
    pub error: Option<String>,
    /// The reason code of the gate, where the gate refused.
    pub reason: Option<String>,
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenAnswer")
            .field("status", &self.status)
            .field("granted", &self.access_token.is_some())
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .field("error", &self.error)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// What an API answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The reason code, where the call was refused.
    pub reason: Option<String>,
}

impl Answer {
    /// Whether the call went through.
    pub fn is_admitted(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A platform could not be asked, or did not understand.
#[derive(Debug, thiserror::Error)]
#[error("platform could not {action}")]
pub struct PlatformError {
    /// What was attempted: `read the clients of acme-helpdesk`.
    pub action: String,
    /// Why.
    #[source]
    pub source: PlatformFault,
}

impl PlatformError {
    /// A platform, or its connector, that gives no way to do this.
    pub fn unable(action: impl Into<String>) -> Self {
        Self { action: action.into(), source: PlatformFault::Unable }
    }

    /// Whether there is no way to do it at all.
    pub fn is_unable(&self) -> bool {
        matches!(self.source, PlatformFault::Unable)
    }
}

/// Why a platform could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum PlatformFault {
    /// It could not be reached, or broke off.
    #[error("it cannot be reached: {0}")]
    Connection(String),
    /// It did not answer in time.
    #[error("it did not answer within {seconds} s")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
    /// It refused.
    #[error("it answered {status} (`{code}`)")]
    Refused {
        /// The status.
        status: u16,
        /// Its error code, or nothing.
        code: String,
    },
    /// It gives no way to do this.
    #[error("it gives no way to do that")]
    Unable,
    /// Its answer makes no sense.
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
    /// The connector's own settings are of no use.
    #[error("its connector is not set up: {0}")]
    Settings(String),
}
