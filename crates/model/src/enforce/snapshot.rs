//! What a gate answers from, as it travels: `countersign.snapshot/1`.

use std::collections::BTreeMap;

use countersign_seal::{Digest, PublicKey, dsse::Envelope};
use serde::{Deserialize, Serialize};

use super::grant::Grant;
use super::hold::Hold;
use crate::declare::manifest::Environment;
use crate::declare::words::Slug;
use crate::id::{CertificateId, IntegrationId, PersonId};
use crate::time::{Period, Timestamp};

/// The schema name of a snapshot.
pub const SNAPSHOT_SCHEMA: &str = "countersign.snapshot/1";
/// The DSSE payload type of a signed snapshot.
pub const SNAPSHOT_TYPE: &str = "application/vnd.countersign.snapshot+json";
/// The JWT type of a heartbeat.
pub const HEARTBEAT_TYPE: &str = "countersign-heartbeat+jwt";

/// Which gates a snapshot is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Gates in front of real resources: only what two people approved.
    Certified,
    /// Gates in front of a test tenant, where integrations are tried before anybody approved them.
    Trial,
}

/// Everything that a gate answers from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotDocument {
    /// `countersign.snapshot/1`.
    pub schema: String,
    /// Which gates it is for; a gate refuses another lane's.
    pub lane: Lane,
    /// Where it counts; a gate refuses another environment's.
    pub environment: Environment,
    /// Grows with each change; a gate never goes back.
    pub epoch: u64,
    /// When it was made.
    pub issued_at: Timestamp,
    /// How long a gate may answer from it without hearing from the server.
    pub lease: Period,
    /// The integrations, sorted by name.
    pub entries: Vec<SnapshotEntry>,
}

/// One integration in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotEntry {
    /// Its opaque id.
    pub id: IntegrationId,
    /// Its own name.
    pub integration: Slug,
    /// Whether it may act now.
    pub standing: Standing,
    /// Credentials issued at or before this moment are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Timestamp>,
    /// What clients of it are denied beyond their grants, by client id: the platform lets them do more than was certified.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, Hold>,
    /// What it rests on.
    pub basis: Basis,
}

/// What an entry rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Basis {
    /// A certificate, with the statement that two people signed. The gate takes the grant from the statement.
    Certificate {
        /// Its id.
        certificate: CertificateId,
        /// The signed certificate (a JWT).
        token: String,
        /// The decision: an in-toto statement in a DSSE envelope with two people's signatures.
        decision: Envelope,
    },
    /// A submitted manifest, for a trial gate only.
    Trial {
        /// The manifest.
        manifest: Digest,
        /// What it may do there.
        grant: Box<Grant>,
    },
}

/// Whether an integration may act now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Standing {
    /// It may.
    Good {
        /// Until this moment, exclusively.
        until: Timestamp,
    },
    /// Its time has run out.
    Lapsed,
    /// It may not, for good.
    Revoked,
    /// It may not, until somebody says so or, at the earliest, until this moment.
    Suspended {
        /// When the suspension ends, where it does by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
}

/// A person whose approval counts at a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// The person: thresholds count people, not keys.
    pub person: PersonId,
    /// One of their keys.
    pub key: PublicKey,
}

/// A signed sign of life: the claims of a heartbeat JWT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The nonce that the gate sent, so that it cannot be an old one.
    pub nonce: String,
    /// Which gates it is for.
    pub lane: Lane,
    /// The epoch in force.
    pub epoch: u64,
    /// Digest of the snapshot in force.
    pub snapshot: Digest,
    /// Seconds since 1970.
    pub iat: i64,
}
