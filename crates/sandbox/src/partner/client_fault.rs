//! Ways in which a partner's own client can be wrong when users sign in.

use serde::{Deserialize, Serialize};

/// One way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientFault {
    /// It takes an answer without the issuer that the metadata promises.
    AcceptsMissingIssuer,
    /// It takes an answer of another issuer than the one that it asked.
    AcceptsOtherIssuer,
    /// It believes metadata whatever issuer they name.
    BelievesAnyMetadata,
    /// It goes on in TLS 1.0 where a server speaks nothing newer.
    GoesOnInOldTls,
    /// It sends to servers whose certificate it does not verify.
    SkipsCertificates,
    /// It sends to servers whose certificate was revoked.
    SkipsRevocation,
    /// It redirects to wherever a parameter says after a sign-in.
    RedirectsAnywhere,
    /// It redirects to wherever a parameter says that only looks like a path of its own.
    RedirectsToSlashes,
    /// It takes a state more than once.
    ReusesState,
    /// It takes a state from any browser.
    SharesState,
    /// It takes an answer with any state or none.
    SkipsState,
}
