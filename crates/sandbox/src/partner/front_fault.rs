//! Ways in which the front channel of the platform's authorization server can be wrong about a client.

use serde::{Deserialize, Serialize};

/// One of them. What concerns no client yet (registration) holds at the whole platform while any
/// registered client has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrontFault {
    /// `response_type=code id_token` is answered with a code and a token in the fragment.
    AnswersHybrid,
    /// `response_type=token` is answered with a token in the fragment.
    AnswersImplicit,
    /// A software statement of any signer is believed.
    BelievesSoftwareStatement,
    /// Codes live ten times as long as they may.
    CodesLiveLong,
    /// The address of a client's keys is fetched before anybody looked where it leads.
    FetchesKeysUnseen,
    /// A client that has to push its requests may send them through the browser.
    IgnoresRequiredPush,
    /// A verifier is taken for a code that has no challenge.
    IgnoresStrayVerifier,
    /// The verifier of a code is not looked at.
    IgnoresVerifier,
    /// The registration token of a deleted client still works.
    KeepsDeletedRegistrationToken,
    /// The old registration token works beside the new one.
    KeepsRotatedRegistrationToken,
    /// The tokens of a code that comes a second time stay alive.
    KeepsTokensOfReplayedCode,
    /// Any path at the host of a registered redirect will do.
    MatchesRedirectByHost,
    /// Whatever begins like a registered redirect will do.
    MatchesRedirectByPrefix,
    /// Any host below that of a registered redirect will do, over any scheme and port.
    MatchesRedirectLoosely,
    /// A public client needs no challenge.
    NeedsNoChallenge,
    /// Requests are pushed by anybody.
    PushesUnauthenticated,
    /// A code is redeemed as often as it comes.
    RedeemsCodeTwice,
    /// An error is sent to an address that nobody registered.
    RedirectsErrors,
    /// The login form is answered with 307, so that a browser posts the password again.
    RepostsLogin,
    /// Clients are registered by anybody.
    RegistersAnybody,
    /// Keys at a private address are taken for a client's.
    RegistersPrivateKeyAddress,
    /// A redirect over http is registered.
    RegistersPlainRedirect,
    /// A request that was pushed is good for as many codes as one likes.
    ReusesPushedRequest,
    /// A request that one client pushed can be used by another.
    SharesPushedRequest,
    /// `plain` is a way to send a challenge.
    TakesPlainChallenge,
    /// A pushed request works after its end.
    TakesStalePushedRequest,
}
