//! Clients that nobody declared yet and somebody answers for, until a date.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::{Period, Timestamp};

/// The schema name of a list of adoptions.
pub const ADOPTED_SCHEMA: &str = "countersign.adopted/1";
/// How far ahead an adoption may end: it is a delay, and no certificate.
pub const ADOPTED_FOR_MAX: Period = Period::from_days(180);

/// Who answers for a client, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adoption {
    /// A person, as the company names them.
    pub owner: String,
    /// Until this moment, exclusively. Whoever has not declared the client by then has a finding.
    pub until: Timestamp,
}

/// Everything that is adopted at one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adopted {
    /// `countersign.adopted/1`.
    pub schema: String,
    /// `production` or `test`.
    pub platform: String,
    /// By client id.
    pub clients: BTreeMap<String, Adoption>,
}
