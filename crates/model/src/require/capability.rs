//! What an integration does, as far as it decides which controls apply.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::power;
use super::words::words_of;
use crate::declare::manifest::{
    Auth, Holder, Identity, IdentityKind, Manifest, Signing, WebhookScheme,
};

/// What an integration does, as far as it decides which controls apply.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Every integration.
    #[serde(rename = "*")]
    Any,
    /// An AI agent chooses the calls.
    Agentic,
    /// Uses a static key.
    ApiKey,
    /// Runs in or ships from a build pipeline.
    CiCd,
    /// Signs requests with RFC 9421.
    HttpSignature,
    /// Uses client certificates.
    Mtls,
    /// Runs an authorization server the platform trusts.
    OauthAs,
    /// Obtains tokens from the platform.
    OauthClient,
    /// Accepts platform-issued tokens.
    ResourceServer,
    /// Provisions or is provisioned by SCIM.
    Scim,
    /// Receives security event tokens.
    SetReceiver,
    /// Holds tokens or keys of many customers.
    StoresCustomerCredentials,
    /// Acts for users through a redirect flow.
    UserDelegated,
    /// Receives platform webhooks.
    WebhookReceiver,
    /// Sends webhooks to the platform or its users.
    WebhookSender,
    /// Exchanges an outside OIDC token for platform access.
    WorkloadFederation,
    /// Uses SPIFFE or WIMSE credentials.
    WorkloadIdentity,
    /// May change users, roles, apps or credentials.
    WritesIdentity,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Any,
        Self::Agentic,
        Self::ApiKey,
        Self::CiCd,
        Self::HttpSignature,
        Self::Mtls,
        Self::OauthAs,
        Self::OauthClient,
        Self::ResourceServer,
        Self::Scim,
        Self::SetReceiver,
        Self::StoresCustomerCredentials,
        Self::UserDelegated,
        Self::WebhookReceiver,
        Self::WebhookSender,
        Self::WorkloadFederation,
        Self::WorkloadIdentity,
        Self::WritesIdentity,
    ];

    /// The catalogue's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Agentic => "agentic",
            Self::ApiKey => "api_key",
            Self::CiCd => "ci_cd",
            Self::HttpSignature => "http_signature",
            Self::Mtls => "mtls",
            Self::OauthAs => "oauth_as",
            Self::OauthClient => "oauth_client",
            Self::ResourceServer => "resource_server",
            Self::Scim => "scim",
            Self::SetReceiver => "set_receiver",
            Self::StoresCustomerCredentials => "stores_customer_credentials",
            Self::UserDelegated => "user_delegated",
            Self::WebhookReceiver => "webhook_receiver",
            Self::WebhookSender => "webhook_sender",
            Self::WorkloadFederation => "workload_federation",
            Self::WorkloadIdentity => "workload_identity",
            Self::WritesIdentity => "writes_identity",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What a manifest says that the integration does.
///
/// Only what is declared can be seen here; a platform connector that sees more widens the set.
pub fn capabilities_of(manifest: &Manifest) -> BTreeSet<Capability> {
    use Capability as C;
    let mut found = BTreeSet::from([C::Any]);
    for identity in &manifest.identities {
        found.extend(of_identity(identity, &manifest.partner.domain));
    }
    let delegated = !manifest.callbacks.is_empty();
    let refreshes =
        manifest.identities.iter().any(|it| it.refresh.as_ref().is_some_and(|it| it.allowed));
    let ships = manifest.source.as_ref().is_some_and(|it| !it.images.is_empty());
    let signings = || {
        let webhooks = manifest.webhooks.iter().map(|it| &it.signing);
        webhooks.chain(manifest.events.iter().map(|it| &it.signing))
    };
    let signs = |it: &Signing| it.scheme == WebhookScheme::HttpMessageSignatures;
    let table = [
        (C::OauthAs, !manifest.authorization_servers.is_empty()),
        (C::UserDelegated, delegated),
        // Whoever refreshes for users keeps a token for each of them.
        (C::StoresCustomerCredentials, delegated && refreshes || shares_credentials(manifest)),
        (C::WebhookReceiver, !manifest.events.is_empty()),
        (C::WebhookSender, !manifest.webhooks.is_empty()),
        (C::ResourceServer, !manifest.resources.is_empty()),
        (C::HttpSignature, signings().any(signs)),
        (C::SetReceiver, manifest.events.iter().any(|it| it.signing.scheme == WebhookScheme::Set)),
        (C::CiCd, ships || manifest.identities.iter().any(is_pipeline)),
        (C::Agentic, is_agentic(manifest)),
        (C::WritesIdentity, power::writes_identity(manifest)),
    ];
    found.extend(table.into_iter().filter(|(_, holds)| *holds).map(|(capability, _)| capability));
    found
}

fn of_identity(identity: &Identity, domain: &str) -> impl Iterator<Item = Capability> {
    use Capability as C;
    let kind = identity.kind;
    let federated = kind == IdentityKind::FederationTrust || identity.auth == Auth::Federated;
    let tokens = matches!(kind, IdentityKind::OauthClient | IdentityKind::ServiceAccount);
    let certificate = matches!(identity.auth, Auth::ClientCertificate | Auth::TlsClientAuth);
    let scim = identity.scopes.iter().any(|scope| {
        let speaks = |it: &str| it.to_lowercase().contains("scim");
        speaks(scope.name.as_str()) || scope.uses.iter().any(|it| speaks(it))
    });
    let table = [
        (C::OauthClient, tokens),
        (C::ApiKey, kind == IdentityKind::ApiKey || identity.auth == Auth::ApiKey),
        (C::Mtls, kind == IdentityKind::X509 || certificate),
        (C::WorkloadIdentity, kind == IdentityKind::Workload),
        (C::WorkloadFederation, federated),
        (C::OauthAs, federated && identity.issuer.as_deref().is_some_and(|it| is_own(it, domain))),
        // A credential that the platform holds is one that the partner accepts.
        (C::ResourceServer, tokens && identity.holder == Holder::Platform),
        (C::Scim, scim),
    ];
    table.into_iter().filter(|(_, holds)| *holds).map(|(capability, _)| capability)
}

/// Whether an issuer is a host of the partner's own domain.
fn is_own(issuer: &str, domain: &str) -> bool {
    let host = url::Url::parse(issuer).ok().and_then(|it| it.host_str().map(str::to_owned));
    let domain = domain.to_lowercase();
    host.is_some_and(|it| it == domain || it.ends_with(&format!(".{domain}")))
}

/// Whether an identity is trusted because of tokens that a build pipeline gets.
fn is_pipeline(identity: &Identity) -> bool {
    const ISSUERS: [&str; 6] =
        ["actions", "buildkite", "circleci", "gitlab", "pipelines", "vstoken"];
    let issuer = identity.issuer.as_deref().unwrap_or_default().to_lowercase();
    ISSUERS.iter().any(|it| issuer.contains(it))
}

/// Whether somebody else holds an identity of the manifest, or data that opens doors.
fn shares_credentials(manifest: &Manifest) -> bool {
    let identities: BTreeSet<&str> = manifest.identities.iter().map(|it| it.id.as_str()).collect();
    let mut held = manifest.dependencies.iter().flat_map(|it| &it.holds);
    held.any(|it| identities.contains(it.as_str()) || power::is_secret_grade(it))
}

fn is_agentic(manifest: &Manifest) -> bool {
    const WORDS: [&str; 6] = ["ai", "chatbot", "copilot", "gpt", "llm", "llms"];
    let texts = [manifest.integration.name.as_str(), manifest.integration.purpose.as_str()];
    let others =
        manifest.dependencies.iter().flat_map(|it| [it.name.as_str(), it.purpose.as_str()]);
    texts.into_iter().chain(others).any(|text| {
        let words = words_of(text);
        words.iter().any(|it| WORDS.contains(&it.as_str()))
            || words.windows(2).any(|it| it[0] == "language" && it[1] == "model")
    })
}
