//! What is asked of a platform, and what it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use countersign_model::certify::baseline::Granted;
use countersign_model::time::Timestamp;
use countersign_seal::{Digest, PublicKey, SigningKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::InventoryCredential;

/// What a platform holds for one integration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Held {
    /// By client id. Declared identities that the platform does not know are missing.
    pub granted: BTreeMap<String, Granted>,
    /// Clients that the platform files under this integration and no identity declares.
    pub undeclared: BTreeSet<String>,
    /// Every subscription that is filed under this integration.
    pub subscriptions: Vec<HeldSubscription>,
    /// What each declared client can prove itself with, where the platform tells.
    #[serde(default)]
    pub credentials: BTreeMap<String, Vec<InventoryCredential>>,
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
    /// Which webhook it is: the one whose key verified it, or the only one at that address.
    pub webhook: Option<String>,
    /// Where it came from.
    pub ip: String,
    /// The scheme that it was held against: that of the webhook.
    #[serde(default)]
    pub scheme: Option<String>,
    /// `verified`, `reused-id` (it verifies, and its id came with another body before), `unsigned`, `bad-signature`, `too-old`, `too-new`, or why it was not looked at.
    pub result: String,
    /// What the signature of a call that verifies leaves open.
    #[serde(default)]
    pub unproven: BTreeSet<Unproven>,
}

/// What nobody can tell of a call although its signature verifies: its scheme signs no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unproven {
    /// It bears no id: whether it came before cannot be told from another one that says the same.
    NoId,
    /// No time of sending is signed: how old it is cannot be told.
    NoTime,
    /// Its id is not signed: who saw it can send it again under another one.
    UnsignedId,
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

/// A new secret of a client. It never shows in `Debug`.
#[derive(Clone)]
pub struct Renewed {
    /// The new secret.
    pub secret: Zeroizing<String>,
    /// Until when the old one works on; none where it died at once.
    pub old_until: Option<Timestamp>,
}

impl fmt::Debug for Renewed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Renewed(old until {:?})", self.old_until)
    }
}

/// What the key of a copy grows from. It never shows, and is wiped when it is dropped.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    /// These 32 bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key.
    pub fn key(&self) -> SigningKey {
        SigningKey::from_seed(*self.0)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seed(..)")
    }
}

/// A throw-away copy of a client. Its key exists here and nowhere else.
#[derive(Debug, Clone)]
pub struct ClientCopy {
    /// Its id.
    pub client_id: String,
    /// Its key.
    pub key: SigningKey,
    /// What the key grows from, so that it can be kept.
    pub seed: Seed,
}

impl ClientCopy {
    /// The copy with the key that grows from this.
    pub fn new(client_id: String, seed: Seed) -> Self {
        Self { client_id, key: seed.key(), seed }
    }

    /// The key that the platform accepts from it.
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }
}

/// The key that signs the deliveries of a subscription.
#[derive(Clone)]
pub enum SendingKey {
    /// A private key.
    Private(SigningKey),
    /// A shared secret, as its scheme writes it.
    Secret(Zeroizing<String>),
}

impl fmt::Debug for SendingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SendingKey(..)")
    }
}

/// A throw-away copy of a webhook. Its key exists here and nowhere else.
#[derive(Debug, Clone)]
pub struct WebhookCopy {
    /// Its id.
    pub id: String,
    /// Where it is called, below the platform's address: `/hooks/acme-helpdesk`.
    pub path: String,
    /// How its calls are signed, as manifests write it: `standard-webhooks`.
    pub scheme: String,
    /// Its key.
    pub key: SendingKey,
    /// What a private key grows from, so that it can be kept.
    pub seed: Option<Seed>,
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

/// One call at a platform's API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiCall {
    /// What it does, in a few words: `add a key`.
    pub name: String,
    /// `GET`, `POST` …
    pub method: String,
    /// `/v1/users/u-7`.
    pub path: String,
    /// The body, as JSON.
    #[serde(default)]
    pub body: Option<serde_json::Value>,
}

/// How a call is made, where that is not as the integration makes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manner {
    /// The address that it is sent from.
    pub from: Option<IpAddr>,
    /// The program that it says it is.
    pub agent: Option<String>,
}

/// What an API answered, with what stands in it, which never shows in `Debug`.
#[derive(Clone, Default)]
pub struct ApiAnswer {
    /// The status.
    pub status: u16,
    /// The reason code, where the call was refused.
    pub reason: Option<String>,
    /// The beginning of the body.
    pub body: String,
    /// How long it took.
    pub took_ms: u64,
}

impl fmt::Debug for ApiAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ApiAnswer({}, {} bytes)", self.status, self.body.len())
    }
}

/// Terms on which a copy of a client is made; the original's where none are named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyTerms {
    /// How long its tokens live.
    pub token_life_seconds: Option<u64>,
    /// How many tokens it gets in an hour.
    pub tokens_per_hour: Option<u32>,
}

/// How the front channel of a copy differs from that of its original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrontTrait {
    /// It has to push its requests (RFC 9126, section 6).
    MustPush,
    /// It is public: it has nothing to prove itself with.
    Public,
    /// Its codes and pushed requests live for a second or so.
    ShortLived,
    /// Somebody has to sign in before it gets a code.
    SignsIn,
}

/// A throw-away copy of a client that acts through a browser.
#[derive(Debug, Clone)]
pub struct FrontCopy {
    /// The copy.
    pub copy: ClientCopy,
    /// Where its codes may be sent.
    pub redirects: Vec<String>,
    /// How long the copy's codes live, in milliseconds, where the platform says.
    pub code_life_ms: Option<u64>,
    /// How long those of the original live.
    pub code_life_ms_of_original: Option<u64>,
    /// Who can sign in at the copy.
    pub login: Option<Login>,
}

/// A person who exists for checks alone.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Login(..)")
    }
}

/// Objects of a test tenant, as one client may or may not reach them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Objects {
    /// Objects of the client's own customer.
    pub own: Vec<ObjectCall>,
    /// Objects of another customer.
    pub foreign: Vec<ObjectCall>,
    /// Objects that nobody has: each is asked for as the foreign one in the same place.
    pub missing: Vec<ObjectCall>,
}

/// A call for one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectCall {
    /// The call.
    pub call: ApiCall,
    /// Words that stand in this object and nowhere else.
    #[serde(default)]
    pub marks: Vec<String>,
    /// The state that it is in, as administrators see it; another one after every change.
    #[serde(default)]
    pub version: Option<String>,
}
