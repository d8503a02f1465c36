//! Ways in which an authorization server can be wrong about a client, behind its token endpoint.

use serde::{Deserialize, Serialize};

/// One way to be wrong. A right authorization server has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OauthFault {
    /// Any secret is taken from a client that has none.
    AcceptsAnySecret,
    /// An assertion that is meant for this server and for another one is taken.
    AcceptsAudienceList,
    /// An assertion that is meant for another server is taken.
    AcceptsForeignAudience,
    /// An assertion whose issuer is somebody else is taken.
    AcceptsForeignIssuer,
    /// An assertion that is signed with the public key as a shared secret is taken.
    AcceptsHs256Assertion,
    /// An assertion that lives for an hour is taken.
    AcceptsLongAssertion,
    /// An assertion is taken a second time.
    AcceptsReplayedAssertion,
    /// A secret in the address is taken from a client that has none.
    AcceptsSecretInAddress,
    /// Passwords are looked at.
    AllowsPasswordGrant,
    /// Introspection calls a token active that has ended.
    CallsExpiredTokensActive,
    /// Introspection calls a token active that was revoked.
    CallsRevokedTokensActive,
    /// Introspection tells more of a dead token than that it is dead.
    DescribesDeadTokens,
    /// Introspection does not tell when a token ends.
    HidesTokenEnd,
    /// Tokens live on whose refresh token was revoked.
    KeepsDerivedTokens,
    /// A refresh token that came twice does not end its family.
    KeepsRefreshFamily,
    /// A refresh token lives on after it was revoked.
    KeepsRevokedRefresh,
    /// Answers with tokens may be kept.
    LetsTokensBeCached,
    /// Tokens can be guessed as fast as anybody likes.
    NeverThrottlesGuesses,
    /// Its tokens have no id.
    OmitsTokenId,
    /// Introspection answers to anybody.
    OpensIntrospection,
    /// A refresh token works for any client.
    RefreshesForOthers,
    /// A refresh token works twice.
    RefreshesTwice,
    /// Revoking what is not there is refused.
    RefusesUnknownRevocation,
    /// A revoked token works again a moment later.
    RevivesRevokedTokens,
    /// A client may revoke what is another's.
    RevokesForOthers,
    /// Introspection tells a client about tokens of another.
    TellsOthersAboutTokens,
    /// Its access tokens do not say that they are access tokens.
    TypesTokensPlainly,
}
