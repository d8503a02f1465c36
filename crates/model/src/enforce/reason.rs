//! Why a gate says no, or yes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The reason code of a gate's answer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is certified, and the call lies inside what was certified.
    Admitted,
    /// The credential was issued before all of its kind were withdrawn.
    CredentialRevoked,
    /// The platform lets the client do more than was certified, in a way that no call shows.
    Drifted,
    /// The certificate or the decision under it has ended.
    Lapsed,
    /// The call lacks something that its kind needs, or holds something that cannot be read.
    Malformed,
    /// The certificate begins later.
    NotYetValid,
    /// The audience is not certified.
    OutsideAudience,
    /// The way to prove itself is not certified, or the key comes from elsewhere.
    OutsideCredential,
    /// The hour is not certified.
    OutsideHours,
    /// The network is not certified.
    OutsideNetwork,
    /// The endpoint, address or path is not certified.
    OutsidePath,
    /// The scope is not certified.
    OutsideScope,
    /// More than the certified rate or number.
    OverRate,
    /// The certificate was revoked.
    Revoked,
    /// The snapshot is older than its limit.
    Stale,
    /// Trust is suspended for a time.
    Suspended,
    /// No certificate with two people's approvals is known for this client.
    Uncertified,
    /// A word that this gate does not know: an event, an outcome, a job.
    UnknownWord,
    /// The certificate counts in another environment.
    WrongEnvironment,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Admitted,
        Self::CredentialRevoked,
        Self::Drifted,
        Self::Lapsed,
        Self::Malformed,
        Self::NotYetValid,
        Self::OutsideAudience,
        Self::OutsideCredential,
        Self::OutsideHours,
        Self::OutsideNetwork,
        Self::OutsidePath,
        Self::OutsideScope,
        Self::OverRate,
        Self::Revoked,
        Self::Stale,
        Self::Suspended,
        Self::Uncertified,
        Self::UnknownWord,
        Self::WrongEnvironment,
    ];

    /// The code: `outside-scope`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::CredentialRevoked => "credential-revoked",
            Self::Drifted => "drifted",
            Self::Lapsed => "lapsed",
            Self::Malformed => "malformed",
            Self::NotYetValid => "not-yet-valid",
            Self::OutsideAudience => "outside-audience",
            Self::OutsideCredential => "outside-credential",
            Self::OutsideHours => "outside-hours",
            Self::OutsideNetwork => "outside-network",
            Self::OutsidePath => "outside-path",
            Self::OutsideScope => "outside-scope",
            Self::OverRate => "over-rate",
            Self::Revoked => "revoked",
            Self::Stale => "stale",
            Self::Suspended => "suspended",
            Self::Uncertified => "uncertified",
            Self::UnknownWord => "unknown-word",
            Self::WrongEnvironment => "wrong-environment",
        }
    }

    /// What it means and what to do, for `explain`.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Admitted => {
                "The integration is certified and the call lies inside what was certified."
            }
            Self::CredentialRevoked => {
                "Every credential issued before a moment was withdrawn, and this one is older. Obtain a new one, if the integration may still act."
            }
            Self::Drifted => {
                "The client has a role, key, secret or refresh life at the platform that was not certified, and the call does not show that it rests on none of it. Take it away there, or certify it."
            }
            Self::Lapsed => {
                "The certificate, or the decision under it, has ended. Run the checks again and ask for a new decision."
            }
            Self::Malformed => {
                "The call lacks something that its kind needs, or holds something that cannot be read. Send what the gate's interface asks for."
            }
            Self::NotYetValid => "The certificate begins later. Wait, or compare the clocks.",
            Self::OutsideAudience => {
                "The audience is not part of what was certified. Declare it and certify again."
            }
            Self::OutsideCredential => {
                "The secret or key is not of the kind that was certified, or comes from elsewhere. Take it away at the platform, or declare it and certify again."
            }
            Self::OutsideHours => {
                "The declared use names other hours. Act inside them, or declare new ones and certify again."
            }
            Self::OutsideNetwork => {
                "The declared use names other networks. Call from one of them, or declare this one and certify again."
            }
            Self::OutsidePath => {
                "The endpoint, address or path is not part of what was certified. Declare it and certify again."
            }
            Self::OutsideScope => {
                "The scope is not part of what was certified. Declare it and certify again."
            }
            Self::OverRate => {
                "More calls or outcomes than were declared. Slow down, or declare more and certify again."
            }
            Self::Revoked => "The certificate was revoked. The way back is a new certification.",
            Self::Stale => {
                "The gate has not heard from its server for longer than its limit, so it admits nobody. Mend the connection."
            }
            Self::Suspended => {
                "Trust is suspended for a time. It returns with fresh evidence when the time ends, or earlier by two people."
            }
            Self::Uncertified => {
                "No certificate with two people's approvals is known for this client. Submit it for certification."
            }
            Self::UnknownWord => {
                "The call names an event, outcome or job that the certificate does not know. Declare it and certify again."
            }
            Self::WrongEnvironment => {
                "The certificate counts in another environment than this gate. Certify for this one."
            }
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.code())
    }
}
