//! The answers that `init` asks for.

use super::words::Slug;

/// What kind of partner it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartnerKind {
    /// An app from a marketplace.
    MarketplaceApp,
    /// None of the others.
    Other,
    /// Payroll or staff records.
    PayrollPartner,
    /// A reseller or provisioner.
    Reseller,
    /// A vendor of software as a service.
    SaasVendor,
}

impl PartnerKind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 5] =
        [Self::SaasVendor, Self::PayrollPartner, Self::Reseller, Self::MarketplaceApp, Self::Other];

    /// The word: `saas-vendor`.
    pub fn word(self) -> &'static str {
        match self {
            Self::MarketplaceApp => "marketplace-app",
            Self::Other => "other",
            Self::PayrollPartner => "payroll-partner",
            Self::Reseller => "reseller",
            Self::SaasVendor => "saas-vendor",
        }
    }

    /// The kind of a word; a version is ignored: `saas-vendor@1`.
    pub fn from_word(word: &str) -> Option<Self> {
        let name = word.split('@').next().unwrap_or_default();
        Self::ALL.into_iter().find(|it| it.word() == name)
    }

    pub(super) fn profile(self) -> &'static str {
        match self {
            Self::MarketplaceApp => "marketplace-app@1",
            Self::PayrollPartner => "payroll-partner@1",
            Self::Reseller => "reseller@1",
            Self::Other | Self::SaasVendor => "saas-vendor@1",
        }
    }

    pub(super) fn tier(self) -> &'static str {
        match self {
            Self::MarketplaceApp => "standard",
            Self::Other | Self::Reseller | Self::SaasVendor => "elevated",
            Self::PayrollPartner => "critical",
        }
    }

    pub(super) fn max_age(self) -> &'static str {
        match self {
            Self::MarketplaceApp => "365d",
            Self::Other | Self::Reseller | Self::SaasVendor => "180d",
            Self::PayrollPartner => "90d",
        }
    }
}

/// What the integration holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    /// An OAuth client.
    OauthClient,
    /// A service account.
    ServiceAccount,
    /// A static key.
    ApiKey,
    /// A client certificate.
    Certificate,
    /// It calls our webhook.
    Webhook,
    /// We send it events.
    Events,
}

impl Holds {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::OauthClient,
        Self::ServiceAccount,
        Self::ApiKey,
        Self::Certificate,
        Self::Webhook,
        Self::Events,
    ];

    /// The word: `oauth-client`.
    pub fn word(self) -> &'static str {
        match self {
            Self::OauthClient => "oauth-client",
            Self::ServiceAccount => "service-account",
            Self::ApiKey => "key",
            Self::Certificate => "certificate",
            Self::Webhook => "webhook",
            Self::Events => "events",
        }
    }

    /// What a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }

    /// The ways to cut it, the usual one first.
    pub fn revoke_words(self) -> &'static [&'static str] {
        match self {
            Self::OauthClient => &["client-disable", "token-revocation", "jwks-removal"],
            Self::ServiceAccount => &["account-disable", "token-revocation", "jwks-removal"],
            Self::ApiKey => &["secret-removal", "account-disable"],
            Self::Certificate => &["issuer-block", "pin-removal"],
            Self::Webhook => &["key-removal", "route-block"],
            Self::Events => &["subscription-disable", "queue-purge"],
        }
    }
}

/// The answers to the four questions, and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// What kind of partner.
    pub kind: PartnerKind,
    /// The integration's name here.
    pub id: Slug,
    /// Its name for people.
    pub name: String,
    /// The partner's domain.
    pub domain: String,
    /// Who wants it here.
    pub business_owner: String,
    /// Who runs it here.
    pub technical_owner: String,
    /// Who stands in.
    pub backup_owner: Option<String>,
    /// What it holds.
    pub holds: Vec<Holds>,
    /// How it may be cut; nothing means: as usual for what it holds.
    pub revoke: Vec<String>,
}
