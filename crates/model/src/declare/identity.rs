//! Everything an integration can act with, as its manifest declares it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{HttpsUrl, PathId, ScopeName};
use crate::time::Period;

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
    /// Its name: `private_key_jwt`.
    pub fn word(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::ClientCertificate => "client-certificate",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::Federated => "federated",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
        }
    }

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
