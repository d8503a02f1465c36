//! Ways in which a resource server can be wrong about tokens.

use serde::{Deserialize, Serialize};

/// One way to be wrong about tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JwtFault {
    /// Takes a token for whichever resource.
    AcceptsAnyAudience,
    /// Takes a token of any kind.
    AcceptsAnyTokenType,
    /// Takes a signature of two zeros for the right one.
    AcceptsBlankSignature,
    /// Takes a signature in DER for one of two numbers.
    AcceptsDerSignature,
    /// Takes an audience that only begins like its own.
    AcceptsLongerAudience,
    /// Keys an HMAC with the issuer's public key.
    AcceptsPublicKeyAsSecret,
    /// Its production twin takes what the issuer of tests signs.
    AcceptsTestTokensInProduction,
    /// Takes a token out of the address.
    AcceptsTokenInQuery,
    /// Takes a token that says that it is not signed.
    AcceptsUnsignedToken,
    /// Breaks on a key id that is odd.
    BreaksOnOddKeyId,
    /// Does not ask whether a call has a token.
    ChecksNoToken,
    /// Fetches the key from where the token says.
    FollowsKeyPointer,
    /// Takes no notice of extensions that have to be understood.
    IgnoresCritical,
    /// Takes no notice of the time.
    IgnoresTimes,
    /// Goes on with a key that its issuer has withdrawn.
    KeepsWithdrawnKeys,
    /// Never reads its issuer's keys a second time.
    NeverReadsKeysAgain,
    /// Does what a costly token asks for.
    PaysForCostlyTokens,
    /// Reads a key from the file that a token names.
    ReadsKeyByPath,
    /// Reads what is nearly a token as one.
    ReadsTokensLeniently,
    /// Redirects a token in the address to another address that bears it.
    RedirectsTokenInQuery,
    /// Reads its issuer's keys anew for every key that it does not know.
    RefetchesForEveryUnknownKey,
    /// Does not verify signatures.
    SkipsSignature,
    /// Takes the first of two members of one name.
    TakesFirstOfDuplicates,
    /// Takes whoever a token says that it is from.
    TrustsAnyIssuer,
    /// Takes a key out of the token.
    TrustsEmbeddedKey,
    /// Shares a secret with its issuer that stands in a dictionary.
    WeakSecret,
}
