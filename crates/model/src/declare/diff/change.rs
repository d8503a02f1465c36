//! One difference between two manifests.

use std::fmt;

use serde::Serialize;

/// What kind of difference it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// An address that receives codes or tokens.
    CallbackChanged,
    /// A way that data takes is new.
    DataPathAdded,
    /// Other data, another end or another region.
    DataPathChanged,
    /// A way that data takes is gone.
    DataPathRemoved,
    /// When, whence and for what it may be used.
    DeclaredUseChanged,
    /// Where a webhook or an event goes.
    EndpointChanged,
    /// A kind of event is sent that was not.
    EventTypeAdded,
    /// Something new to act with.
    IdentityAdded,
    /// Something less to act with.
    IdentityRemoved,
    /// Keys, issuer or the way to prove itself.
    KeyChanged,
    /// Something lives longer than it did.
    LifetimeRaised,
    /// It may do more of something.
    LimitRaised,
    /// It may come from another network.
    NetworkAdded,
    /// Anything else.
    Other,
    /// Who answers for it.
    OwnerChanged,
    /// The organisation or its publisher identity.
    PublisherChanged,
    /// A way to revoke it, or its terms.
    RevocationChanged,
    /// It may ask for more.
    ScopeAdded,
    /// A scope's reason or uses.
    ScopeChanged,
    /// It may ask for less.
    ScopeRemoved,
    /// Somebody else holds or sees our credentials or data.
    SubprocessorAdded,
    /// Less is asked of it.
    TierLowered,
}

/// One difference between two manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManifestChange {
    /// What kind of difference.
    pub kind: ChangeKind,
    /// Where: `identity[oauth:acme-helpdesk].scope[tickets:write].uses`; entries go by their names.
    pub path: String,
    /// What was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The word of `[recertify] on` that it pulls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<&'static str>,
    /// Whether the integration can now do, reach or keep something that it could not.
    pub widens: bool,
}

impl fmt::Display for ManifestChange {
    /// One plain sentence, without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match (&self.before, &self.after) {
            (None, Some(after)) => {
                write!(f, "{}: `{after}` was added at `{path}`", self.kind.means())
            }
            (Some(before), None) => {
                write!(f, "{}: `{before}` was removed at `{path}`", self.kind.means())
            }
            (Some(before), Some(after)) => {
                write!(f, "{}: `{path}` was `{before}` and is `{after}`", self.kind.means())
            }
            (None, None) => write!(f, "{}: `{path}`", self.kind.means()),
        }
    }
}

impl ChangeKind {
    /// The kind in words.
    pub fn means(self) -> &'static str {
        match self {
            Self::CallbackChanged => "another callback",
            Self::DataPathAdded => "a new data path",
            Self::DataPathChanged => "another data path",
            Self::DataPathRemoved => "a data path less",
            Self::DeclaredUseChanged => "another declared use",
            Self::EndpointChanged => "another endpoint",
            Self::EventTypeAdded => "a new kind of event",
            Self::IdentityAdded => "a new identity",
            Self::IdentityRemoved => "an identity less",
            Self::KeyChanged => "another key",
            Self::LifetimeRaised => "a longer life",
            Self::LimitRaised => "a higher limit",
            Self::NetworkAdded => "a new network",
            Self::Other => "a change",
            Self::OwnerChanged => "another owner",
            Self::PublisherChanged => "another publisher",
            Self::RevocationChanged => "another way to revoke",
            Self::ScopeAdded => "a new scope",
            Self::ScopeChanged => "another use of a scope",
            Self::ScopeRemoved => "a scope less",
            Self::SubprocessorAdded => "a new subprocessor",
            Self::TierLowered => "a lower tier",
        }
    }
}
