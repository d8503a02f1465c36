//! The ways in which an integration can influence an access outcome.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::manifest::{IdentityKind, Manifest};

/// One of the six kinds of call that a gate decides. The words are the same everywhere.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PathKind {
    /// It obtains a token.
    TokenMint,
    /// It calls an API with a token.
    TokenUse,
    /// The platform accepts an assertion or token of the partner's.
    AssertionIn,
    /// It calls in: a webhook or a callback.
    CallIn,
    /// It receives an event.
    EventOut,
    /// It triggers a workflow.
    Automation,
}

impl PathKind {
    /// All six, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::TokenMint,
        Self::TokenUse,
        Self::AssertionIn,
        Self::CallIn,
        Self::EventOut,
        Self::Automation,
    ];

    /// The word: `token-mint`.
    pub fn word(self) -> &'static str {
        match self {
            Self::TokenMint => "token-mint",
            Self::TokenUse => "token-use",
            Self::AssertionIn => "assertion-in",
            Self::CallIn => "call-in",
            Self::EventOut => "event-out",
            Self::Automation => "automation",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

impl std::fmt::Display for PathKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// One path of one integration: a kind and the identity, webhook, event or job that it runs over.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Path {
    /// The kind of call.
    pub kind: PathKind,
    /// The manifest's id of what it runs over: `oauth:acme-helpdesk`.
    pub subject: String,
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.subject)
    }
}

impl Manifest {
    /// Every path of this manifest, each once, in a fixed order.
    ///
    /// An identity that obtains tokens has two (mint and use), another only its use; federation
    /// trusts and certificates are accepted as assertions.
    pub fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        let mut add = |kind, subject: &dyn ToString| {
            paths.push(Path { kind, subject: subject.to_string() });
        };
        for identity in &self.identities {
            match identity.kind {
                IdentityKind::OauthClient | IdentityKind::ServiceAccount => {
                    add(PathKind::TokenMint, &identity.id);
                    add(PathKind::TokenUse, &identity.id);
                }
                IdentityKind::ApiKey => add(PathKind::TokenUse, &identity.id),
                IdentityKind::FederationTrust | IdentityKind::Workload | IdentityKind::X509 => {
                    add(PathKind::AssertionIn, &identity.id);
                }
            }
        }
        for callback in &self.callbacks {
            add(PathKind::CallIn, &callback.id);
        }
        for webhook in &self.webhooks {
            add(PathKind::CallIn, &webhook.id);
        }
        for event in &self.events {
            add(PathKind::EventOut, &event.id);
        }
        for automation in &self.automations {
            add(PathKind::Automation, &automation.id);
        }
        paths.sort();
        paths.dedup();
        paths
    }
}
