//! Ways in which a partner's own sender of webhooks can be wrong.

use serde::{Deserialize, Serialize};

/// One way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SenderFault {
    /// It delivers without TLS.
    DeliversInTheClear,
    /// It delivers to addresses of its own network.
    DeliversInward,
    /// It looks at addresses that are written as such, and not at where names lead.
    DeliversToInwardNames,
    /// It goes on in TLS 1.0 where a receiver speaks nothing newer.
    FallsBackToOldTls,
    /// It follows redirects.
    FollowsRedirects,
    /// It tries again at once, however busy the receiver is.
    HammersReceivers,
    /// It delivers without looking at certificates.
    IgnoresCertificates,
    /// It delivers to servers whose certificate was revoked.
    IgnoresRevocation,
    /// It tries again and again at an address that is gone.
    KeepsGoneReceivers,
}
