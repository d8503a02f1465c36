//! A dated, named, capped exception to one control for one manifest digest.

use countersign_seal::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{PersonId, WaiverId};
use crate::time::Timestamp;

/// A dated, named, capped exception to one control for one manifest digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiver {
    /// Its id.
    pub id: WaiverId,
    /// The control.
    pub control: String,
    /// The manifest that it is for; another manifest is not covered.
    #[schemars(with = "String")]
    pub manifest: Digest,
    /// Who asked.
    pub requester: PersonId,
    /// Who granted it; never the one who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granter: Option<PersonId>,
    /// When it ends, exclusively.
    pub until: Timestamp,
    /// When it was ended early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

impl Waiver {
    /// Whether it covers its control for this manifest now.
    pub fn covers(&self, manifest: Digest, now: Timestamp) -> bool {
        self.granter.is_some()
            && self.manifest == manifest
            && now < self.until
            && self.ended.is_none_or(|it| now < it)
    }
}
