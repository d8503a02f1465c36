//! Ways in which a platform gives a client more than it may have, or takes too little away.

use std::collections::BTreeSet;

use countersign_seal::Digest;
use serde::{Deserialize, Serialize};

use super::Fault;
use crate::registration::ClientRegistration;
use crate::{NoEntropy, entropy};

/// One way to be wrong about a client, and about every copy of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessFault {
    /// A browser may use its tokens.
    AllowsBrowser,
    /// People may sign in at the console with its credential.
    AllowsSignIn,
    /// That somebody enabled it again is not written down.
    EnablesWithoutTrace,
    /// It may delete what is written down about it.
    ErasesItsLog,
    /// Each use of a token lets it live longer.
    ExtendsTokensOnUse,
    /// When it gets a second key, the first is not taken any more.
    ForgetsOldKeyAtOnce,
    /// It may change its own registration.
    GrantsItself,
    /// The change of its registration is refused, and made all the same.
    GrantsItselfBehindRefusal,
    /// Some moments after its client was deleted, a replica brings it back.
    GhostAfterDeletion,
    /// A backup brings it back, when nobody looks any more who looks once or twice.
    GhostLongAfterDeletion,
    /// Some moments after a copy of a webhook was deleted, its key is taken again.
    GhostWebhookAfterDeletion,
    /// Its ceiling is far above the declared one.
    HighCeiling,
    /// Its tokens are taken after their end.
    HonoursExpiredTokens,
    /// Nobody counts the tokens that it gets.
    IgnoresCeiling,
    /// Nobody looks where a token is used.
    IgnoresNetworks,
    /// Nobody looks whose an object is.
    IgnoresOwner,
    /// Introspection goes on calling its tokens active, whatever ended them.
    IntrospectsFromMemory,
    /// A key that was taken from it is taken all the same.
    KeepsOldKeys,
    /// Its refresh tokens outlive the end of its tokens.
    KeepsRefreshTokens,
    /// A refusal shows what it refuses.
    LeaksInRefusal,
    /// It gets tokens while it is disabled.
    MintsWhileDisabled,
    /// Requests that it is refused are not written down.
    RefusesWithoutTrace,
    /// A second secret of it is taken, beside what it is declared with.
    SecondSecret,
    /// A foreign object is refused much later than one that does not exist.
    SlowForForeign,
    /// A key is registered for it, beside those that it publishes.
    StrayKey,
}

impl AccessFault {
    /// Gives a client the credentials that it has only where the platform is wrong about it.
    pub(crate) fn add_credentials(
        faults: &BTreeSet<Fault>,
        client: &mut ClientRegistration,
    ) -> Result<(), NoEntropy> {
        if faults.contains(&Fault::Access(Self::SecondSecret)) {
            client.extras.secrets.insert(Digest::of(entropy::token()?.as_bytes()));
        }
        if faults.contains(&Fault::Access(Self::StrayKey)) {
            client.keys.push(entropy::key()?.public().to_jwk());
        }
        Ok(())
    }
}
