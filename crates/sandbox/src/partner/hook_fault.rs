//! Ways in which a receiver of webhooks can be wrong.

use serde::{Deserialize, Serialize};

/// One way in which a receiver of webhooks is wrong, or a sender of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookFault {
    /// It takes an id that holds a full stop.
    AcceptsDottedId,
    /// It takes a signature with SHA-1 alone.
    AcceptsLegacySha1,
    /// It takes a good signature whatever its version is.
    AcceptsUnknownVersion,
    /// It breaks on a long list of signatures.
    BreaksOnManySignatures,
    /// It forgets ids when half of the window is over.
    ForgetsWebhookIds,
    /// It goes on to take a key whose time is over.
    KeepsOldWebhookKey,
    /// It knows one key at a time.
    KnowsOneWebhookKey,
    /// It looks at the first signature alone.
    ReadsFirstSignatureOnly,
    /// Its own webhooks bear ids that it has used before.
    RepeatsWebhookIds,
    /// Its own webhooks bear the time of what happened long before they are sent.
    SendsLateWebhooks,
    /// It takes what is signed with the key of another endpoint.
    SharesWebhookKeys,
    /// It works on a long list of signatures for seconds.
    SlowOnManySignatures,
    /// It takes its public key for a shared secret.
    TakesPublicKeyAsSecret,
    /// It is content with any secret.
    TakesWeakWebhookSecret,
}
