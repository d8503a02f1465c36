//! What a gate denies a client beyond its grant, while the platform lets it do more than was certified.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Call;
use super::grant::IdentityGrant;

/// Why calls of one client are denied that lie inside its grant.
///
/// A new scope shows in the call and is outside the grant. A new role or key shows in no grant: the
/// server names it here. It can only deny with this; what is admitted stays what people signed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Whether every token of it carries more than was certified: a role.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// Whether its refresh tokens live longer than was certified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refresh: bool,
    /// Credentials that were not certified, by the platform's own ids. A call has to show that it rests on
    /// another one. None where no credential is new; empty where one is and nobody knows its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<BTreeSet<String>>,
}

impl Hold {
    /// Whether a call to obtain or to use a token is denied.
    pub fn denies(&self, call: &Call, identity: &IdentityGrant) -> bool {
        let refreshes = call.grant_type.as_deref() == Some("refresh_token");
        let Some(new) = &self.credentials else { return self.whole || self.refresh && refreshes };
        let named = call.credential.as_ref().is_some_and(|it| !new.contains(it));
        // Keys behind a certified address are certified, whichever was used.
        let published = identity.keys_at.is_some() && call.keys_at == identity.keys_at;
        self.whole || self.refresh && refreshes || !(named || published)
    }
}
