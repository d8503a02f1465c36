//! What a gate is asked.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::declare::path::PathKind;
use crate::time::Timestamp;

/// One call that a gate decides.
///
/// What does not belong to its kind is ignored; what its kind needs and is missing is denied as `malformed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What kind of call it is.
    pub kind: PathKind,
    /// Who acts: a client id at the platform, or the integration's own name.
    pub client: String,
    /// The scopes that are asked for (token-mint) or needed (token-use).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The OAuth grant type, for token-mint: `client_credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<String>,
    /// The life of the token in seconds, for token-mint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    /// The method, for token-use: `POST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path as it came, for token-use: `/v1/tickets/17`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The manifest's id of the webhook, callback, subscription or job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The kind of event, for event-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The access outcomes that the call would cause, with their number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub causes: BTreeMap<String, u32>,
    /// The redirect address, for a callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where the call comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// When the credential that it uses was issued: grant, session or authentication time where known, else `iat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
    /// How the client proved itself, for token-mint and, where the platform remembers, token-use: `private_key_jwt`. None where the platform does
    /// not tell, and for a throw-away copy, which has a credential of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// Where the key came from that it proved itself with: an address, or `registered`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_at: Option<String>,
    /// The credential that it proved itself with, by the id that the platform lists it under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl Call {
    /// A call of this kind by this client, with everything else empty.
    pub fn new(kind: PathKind, client: impl Into<String>) -> Self {
        Self {
            kind,
            client: client.into(),
            scopes: Vec::new(),
            grant_type: None,
            ttl_seconds: None,
            method: None,
            path: None,
            subject: None,
            event: None,
            causes: BTreeMap::new(),
            url: None,
            ip: None,
            issued_at: None,
            auth: None,
            keys_at: None,
            credential: None,
        }
    }
}
