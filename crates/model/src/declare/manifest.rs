//! What a partner declares: the manifest, as types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{HttpsUrl, PathId, ProfileRef, ScopeName, Share, Slug};
use crate::require::tier::Tier;
use crate::time::Period;

/// What an integration is, holds, needs and how it can be cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format: `1`.
    #[schemars(range(min = 1, max = 1))]
    pub manifest: u32,
    /// The named set of controls that judges this file: `saas-vendor@1`.
    pub profile: ProfileRef,
    /// Where the certificate counts. Minima of windows and ages bind production only.
    pub environment: Environment,
    /// What is certified.
    pub integration: Integration,
    /// Who stands behind it.
    pub partner: Partner,
    /// People on the platform's side who answer for it, never a mailing list.
    pub owners: Owners,
    /// Where the checker looks for secrets that should not be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Everything the integration can act with.
    #[serde(rename = "identity", default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<Identity>,
    /// Redirects and other addresses that receive codes or tokens.
    #[serde(rename = "callback", default, skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<Callback>,
    /// Signed calls of the partner to the platform.
    #[serde(rename = "webhook", default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    /// Events that the platform sends to the partner.
    #[serde(rename = "event", default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventSubscription>,
    /// Jobs that run by themselves.
    #[serde(rename = "automation", default, skip_serializing_if = "Vec::is_empty")]
    pub automations: Vec<Automation>,
    /// How we see whether a delivery had an effect, not only a status code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects: Option<Effects>,
    /// Which data goes where.
    #[serde(rename = "data_path", default, skip_serializing_if = "Vec::is_empty")]
    pub data_paths: Vec<DataPath>,
    /// Who else holds or sees our credentials or data.
    #[serde(rename = "dependency", default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// Every token request in the log is held against this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_use: Option<DeclaredUse>,
    /// The gate stays shut until this is met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<Observation>,
    /// What hostile checks may do, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_of_engagement: Option<RulesOfEngagement>,
    /// How the partner's use can be followed.
    pub logging: Logging,
    /// Alerts that must arrive when something is misused.
    #[serde(rename = "alert", default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// How and how fast trust is withdrawn.
    pub revocation: RevocationTerms,
    /// When the question is asked again.
    pub recertify: Recertify,
    /// Files that a control needs.
    #[serde(rename = "evidence", default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceFile>,
}

/// Where a certificate counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Real people, real data.
    Production,
    /// A test tenant: windows may be seconds.
    Sandbox,
}

/// What is certified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    /// Its name here: 3 to 40 lowercase letters, digits and inner hyphens.
    pub id: Slug,
    /// Its name for people.
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    /// What it is for, in one sentence.
    #[schemars(length(min = 1, max = 500))]
    pub purpose: String,
    /// How much it can do; never lower than what its power computes to.
    pub tier: Tier,
}

/// The outside organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// Its name.
    pub name: String,
    /// Its domain; control of it is proved by a DNS record or a well-known file.
    pub domain: String,
    /// Who answers technical questions: a mail address.
    pub technical_contact: String,
    /// Who answers day and night: `tel:…` or `mailto:…`.
    pub incident_contact: String,
    /// The legal entity, where it differs from the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_entity: Option<String>,
    /// The identity under which it publishes (a marketplace's publisher id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
}

/// People on the platform's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owners {
    /// Who wants it.
    pub business: String,
    /// Who runs it.
    pub technical: String,
    /// Who stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
}

/// Where to look for secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Repositories: `https` addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<HttpsUrl>,
    /// Images by digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// A signed statement of the partner's own scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<HttpsUrl>,
}

/// What an identity is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityKind {
    /// A static key.
    ApiKey,
    /// A trust in tokens that another issuer signs.
    FederationTrust,
    /// An OAuth 2 client.
    OauthClient,
    /// An account of the platform's own directory.
    ServiceAccount,
    /// A SPIFFE or WIMSE workload.
    Workload,
    /// A client certificate.
    X509,
}

/// How an identity proves itself.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Auth {
    /// A static key in a header.
    #[serde(rename = "api-key")]
    ApiKey,
    /// A client certificate.
    #[serde(rename = "client-certificate")]
    ClientCertificate,
    /// A shared secret.
    #[serde(rename = "client_secret_basic")]
    ClientSecretBasic,
    /// A shared secret.
    #[serde(rename = "client_secret_post")]
    ClientSecretPost,
    /// A token of another issuer.
    #[serde(rename = "federated")]
    Federated,
    /// A signed assertion (RFC 7523).
    #[serde(rename = "private_key_jwt")]
    PrivateKeyJwt,
    /// Mutual TLS (RFC 8705).
    #[serde(rename = "tls_client_auth")]
    TlsClientAuth,
}

impl Auth {
    /// Whether both sides hold the same secret.
    pub fn is_shared_secret(self) -> bool {
        matches!(self, Self::ApiKey | Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

/// Who holds a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// The partner.
    Partner,
    /// The platform's side.
    Platform,
}

/// How a credential reaches the running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoadedBy {
    /// An environment variable.
    Environment,
    /// A file mounted at run time.
    MountedFile,
    /// The platform's workload identity.
    WorkloadIdentity,
}

/// Anything the integration can act with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its name in this manifest: `oauth:acme-helpdesk`. The part after the colon is the client id at the platform, unless `client_id` says otherwise.
    pub id: PathId,
    /// What it is.
    pub kind: IdentityKind,
    /// How it proves itself.
    pub auth: Auth,
    /// Its id at the platform, where it differs from the part of `id` after the colon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Where its public keys are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<HttpsUrl>,
    /// Who holds it.
    pub holder: Holder,
    /// In which vault.
    pub stored_in: String,
    /// How it reaches the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded_by: Option<LoadedBy>,
    /// Issuer of a certificate or of federated tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Subject of a certificate or of federated tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How long a token (or certificate) of it lives at most.
    pub max_token_ttl: Period,
    /// Whether and how it may refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
    /// How often the credential is replaced.
    pub rotate_every: Period,
    /// Ways to revoke it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoke_by: Vec<String>,
    /// How rotation is done without a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
    /// How offboarding is done without a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offboarding: Option<Offboarding>,
    /// What it may ask for.
    #[serde(rename = "scope", default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
}

impl Identity {
    /// The id at the platform: `client_id`, else the part of `id` after the colon.
    pub fn client_id(&self) -> &str {
        let own = self.id.as_str().split_once(':').map_or("", |(_, name)| name);
        self.client_id.as_deref().unwrap_or(own)
    }
}

/// Whether and how an identity may refresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// Whether it may at all.
    pub allowed: bool,
    /// Whether each use replaces the refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate: Option<bool>,
    /// How long a family of refresh tokens lives at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Period>,
}

/// How something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// By a call, without a person.
    Api,
    /// By a person.
    Manual,
}

/// How a credential is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// By a call or by a person.
    pub method: Method,
    /// The call that starts it: `POST https://…`.
    pub start: String,
    /// How long old and new both work.
    pub overlap: Period,
    /// When it must be over, counted from the start.
    pub finish: Period,
}

/// How an integration is ended at the partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offboarding {
    /// By a call or by a person.
    pub method: Method,
    /// The call that starts it: `DELETE https://…`; `{tenant}` is replaced.
    pub start: String,
    /// When it must be over, counted from the start.
    pub finish: Period,
    /// The call that shows that nothing is left: `GET https://…`; 404 or 410 means gone.
    pub confirmed: String,
}

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// As OAuth spells it.
    pub name: ScopeName,
    /// Why it is needed: what the reviewer reads.
    #[schemars(length(min = 1, max = 500))]
    pub why: String,
    /// The calls that it is for, `METHOD /path/{id}`: what the log is compared with.
    pub uses: Vec<String>,
}

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
    /// How the subscription is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable: Option<Disable>,
    /// Ways to revoke it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoke_by: Vec<String>,
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

/// What the log may show, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredUse {
    /// The grant: `client_credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// When: `06:00-20:00 Europe/Amsterdam, Mon-Fri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// From where: CIDR blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// Token requests in any hour at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_hour: Option<u32>,
    /// Fields that every request carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_carry: Vec<String>,
    /// What an actor looks like: a regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_pattern: Option<String>,
    /// Where an order can be looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_lookup: Option<String>,
}

/// What must have been observed before the gate opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// For how long.
    pub window: Period,
    /// How many requests at least.
    pub minimum_requests: u64,
    /// Share of requests with a known actor and the fields of `must_carry`.
    pub attributable: Share,
    /// Share of tokens inside `max_token_ttl`.
    pub time_bounded: Share,
    /// Share that matches `[declared_use]`.
    pub within_declared: Share,
    /// Stretches with traffic at the gate and no log line, at most this long.
    pub unexplained_gaps: Period,
    /// Where it is observed.
    #[serde(rename = "where")]
    pub place: Environment,
}

/// What hostile checks may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesOfEngagement {
    /// Requests in any second at most.
    #[schemars(range(min = 1, max = 1000))]
    pub rate_per_second: u32,
    /// When.
    pub hours: String,
    /// Whom to tell.
    pub contact: String,
    /// How control of each host is proved.
    pub proof: HostProof,
}

/// How control of a host is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HostProof {
    /// A TXT record.
    Dns,
    /// A file below `/.well-known/countersign/`.
    WellKnown,
}

/// How logs arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// We fetch them.
    Pull,
    /// They send them.
    Push,
}

/// How the partner's use can be followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    /// How logs arrive.
    pub delivery: Delivery,
    /// Where they are fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<HttpsUrl>,
    /// How late a line may be.
    pub max_delay: Period,
    /// The fields of a line.
    pub fields: Vec<String>,
    /// How completeness is proved: `per-client-counter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// How long lines are kept.
    pub retention: Period,
}

/// An alert that must arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// What raises it, in words.
    pub signal: String,
    /// To whom.
    pub to: String,
    /// How soon.
    pub within: Period,
}

/// What a gate does that cannot refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailMode {
    /// A stale "yes" may stand for at most `max_stale`.
    BestEffort,
    /// It denies.
    Strict,
}

/// How and how fast trust is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationTerms {
    /// How soon every path denies.
    pub deny_within: Period,
    /// How soon that is proved.
    pub prove_within: Period,
    /// What a gate does that cannot refresh.
    pub fail_mode: FailMode,
    /// How long a stale "yes" may stand under `best-effort`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stale: Option<Period>,
    /// How often withdrawal is rehearsed.
    pub drill_every: Period,
    /// What users are told while it is withdrawn.
    pub message: String,
}

/// When the question is asked again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recertify {
    /// How long a decision lasts at most.
    pub max_age: Period,
    /// What reopens it before that.
    pub on: Vec<String>,
}

/// A file that a control needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceFile {
    /// The control: `CTS-LOG-05`.
    #[serde(rename = "for")]
    pub control: String,
    /// What it is: `file`.
    pub kind: String,
    /// Where it is, beside the manifest.
    pub path: String,
}
