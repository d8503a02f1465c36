//! What a connector can see, revoke and prove at its platform, and why not where it cannot.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a connector does at a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Lists every client with what is granted to it.
    Inventory,
    /// Reads the record of token requests.
    TokenLog,
    /// Reads who changed what, and when.
    AdminLog,
    /// Makes a throw-away copy of a client for drills.
    Copy,
    /// Disables a client, and enables it again.
    Disable,
    /// Gives a client a new secret, the old one working on for a while.
    RotateSecret,
    /// Gives a client a new key, the old one working on for a while.
    RotateKey,
    /// Ends tokens and refresh tokens that were issued.
    RevokeTokens,
    /// Ends the sessions of a client.
    RevokeSessions,
    /// Takes redirect addresses away, and gives them back.
    Redirects,
    /// Disables, enables and empties event subscriptions.
    Subscriptions,
    /// Deletes a client.
    Delete,
    /// Asks whether a token is active.
    Introspect,
}

impl Operation {
    /// Every one, in the order in which they are shown.
    pub const ALL: [Self; 13] = [
        Self::Inventory,
        Self::TokenLog,
        Self::AdminLog,
        Self::Copy,
        Self::Disable,
        Self::RotateSecret,
        Self::RotateKey,
        Self::RevokeTokens,
        Self::RevokeSessions,
        Self::Redirects,
        Self::Subscriptions,
        Self::Delete,
        Self::Introspect,
    ];

    /// What it does, in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Inventory => "list clients and what is granted to them",
            Self::TokenLog => "read token requests",
            Self::AdminLog => "read who changed what",
            Self::Copy => "copy a client for drills",
            Self::Disable => "disable and enable a client",
            Self::RotateSecret => "rotate a secret with overlap",
            Self::RotateKey => "rotate a key with overlap",
            Self::RevokeTokens => "revoke tokens",
            Self::RevokeSessions => "revoke sessions",
            Self::Redirects => "take redirects away",
            Self::Subscriptions => "disable event subscriptions",
            Self::Delete => "delete a client",
            Self::Introspect => "ask whether a token is active",
        }
    }
}

/// Whether something can be done, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Can {
    /// It can; by these requests.
    Yes(String),
    /// Only so far, and what is missing.
    Partly {
        /// By these requests.
        by: String,
        /// What is missing.
        missing: String,
        /// What would mend it.
        remedy: String,
    },
    /// It cannot.
    No {
        /// Why.
        why: String,
        /// What would mend it.
        remedy: String,
    },
    /// It is nothing that this kind of platform has.
    NotHere,
}

impl fmt::Display for Can {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes(by) => write!(formatter, "yes: {by}"),
            Self::Partly { by, missing, remedy } => {
                write!(formatter, "partly: {by}; {missing}; remedy: {remedy}")
            }
            Self::No { why, remedy } => write!(formatter, "no: {why}; remedy: {remedy}"),
            Self::NotHere => formatter.write_str("not there"),
        }
    }
}

/// What a connector can do of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ability {
    /// Which.
    pub operation: Operation,
    /// Whether its state can be seen there.
    pub see: Can,
    /// Whether it can be done there.
    pub revoke: Can,
    /// Whether its effect can be proven there, by something else than the answer to the request.
    pub prove: Can,
}
