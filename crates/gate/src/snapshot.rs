//! A snapshot that this gate has checked for itself.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::certify::certificate::{CERTIFICATE_TYPE, Claims, SIGNATURE_MAX};
use countersign_model::declare::hours::Hours;
use countersign_model::declare::manifest::Environment;
use countersign_model::declare::words::Slug;
use countersign_model::enforce::snapshot::{
    Approver, Basis, Lane, SNAPSHOT_SCHEMA, SNAPSHOT_TYPE, SnapshotDocument, SnapshotEntry,
    Standing,
};
use countersign_model::enforce::{Grant, Hold};
use countersign_model::id::CertificateId;
use countersign_model::review::{Approved, QuorumError};
use countersign_model::time::{Period, Timestamp};
use countersign_seal::dsse::{DsseError, Envelope};
use countersign_seal::jwt::{self, Expect};
use countersign_seal::{Digest, PublicKey, jwt::VerifyingKey};
use ipnet::IpNet;

use crate::{freshness, network};

/// What is pinned at a gate, and never taken from the network.
#[derive(Debug, Clone)]
pub struct Pins {
    /// Which snapshots it reads.
    pub lane: Lane,
    /// Where it stands.
    pub environment: Environment,
    /// Who signs snapshots.
    pub snapshot_key: PublicKey,
    /// Who signs certificates.
    pub certificate_key: PublicKey,
    /// The issuer of certificates.
    pub issuer: String,
    /// Whose approvals count.
    pub approvers: Vec<Approver>,
}

impl Pins {
    /// The approvers that can count: a key that stands for two people, or that a machine signs
    /// with, proves nobody's approval.
    fn people(&self) -> Vec<Approver> {
        let machines = [self.snapshot_key, self.certificate_key];
        let is_one = |it: &&Approver| {
            !machines.contains(&it.key)
                && self
                    .approvers
                    .iter()
                    .all(|other| other.key != it.key || other.person == it.person)
        };
        self.approvers.iter().filter(is_one).cloned().collect()
    }
}

/// A checked snapshot. [`Snapshot::check`] is its only source.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) epoch: u64,
    pub(crate) digest: Option<Digest>,
    pub(crate) lease: Period,
    entries: Vec<Entry>,
    clients: BTreeMap<String, usize>,
    /// Clients whose certificates count in another environment.
    pub(crate) elsewhere: BTreeSet<String>,
    left_out: Vec<(Slug, EntryError)>,
}

/// One integration, with the grant that people signed.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) integration: Slug,
    pub(crate) standing: Standing,
    pub(crate) watermark: Option<Timestamp>,
    pub(crate) held: BTreeMap<String, Hold>,
    pub(crate) certificate: Option<CertificateId>,
    pub(crate) grant: Grant,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) networks: Vec<IpNet>,
    pub(crate) hours: Option<Hours>,
}

/// A snapshot is refused; the one before stays.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The signature does not count here.
    #[error("the snapshot is not signed by the pinned key")]
    Signature(#[source] DsseError),
    /// It cannot be read.
    #[error("the snapshot cannot be read: {0}")]
    Malformed(String),
    /// It is for other gates.
    #[error("the snapshot is for gates of another lane or environment")]
    AnotherGate,
    /// It is older than the one in force.
    #[error("the snapshot has epoch {offered}, in force is {in_force}")]
    WentBack {
        /// Its epoch.
        offered: u64,
        /// The epoch in force.
        in_force: u64,
    },
    /// It holds more than a gate takes.
    #[error("the snapshot holds more than {ENTRIES_MAX} integrations")]
    TooMany,
}

/// Why one integration of a snapshot is left out, and so denied.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Its approvals do not count here.
    #[error("its approvals do not count at this gate")]
    Approval(#[source] QuorumError),
    /// Its certificate does not verify.
    #[error("its certificate does not verify: {0}")]
    Certificate(String),
    /// The parts belong to different certifications.
    #[error("certificate, decision and entry do not belong together")]
    Unbound,
    /// It counts elsewhere.
    #[error("it counts in another environment or lane")]
    AnotherEnvironment,
    /// Its grant cannot be compiled.
    #[error("its grant cannot be read: `{0}`")]
    Grant(String),
    /// Another integration holds the same client.
    #[error("client `{0}` belongs to two integrations")]
    SharedClient(String),
}

/// How many integrations a gate takes.
const ENTRIES_MAX: usize = 1_000_000;

/// How far the clock of whoever signs may be ahead of ours.
const SKEW: Period = Period::from_seconds(60);

impl Snapshot {
    /// A snapshot that knows nobody: what a gate starts with.
    pub fn empty() -> Self {
        Self {
            epoch: 0,
            digest: None,
            lease: Period::default(),
            entries: Vec::new(),
            clients: BTreeMap::new(),
            elsewhere: BTreeSet::new(),
            left_out: Vec::new(),
        }
    }

    /// Checks a signed snapshot against what is pinned here.
    ///
    /// An entry whose approvals or certificate do not verify is left out and named; the others count.
    pub fn check(envelope: &[u8], pins: &Pins, in_force: u64) -> Result<Self, SnapshotError> {
        let digest = Digest::of(envelope);
        let envelope = Envelope::parse(envelope).map_err(SnapshotError::Signature)?;
        let verified =
            envelope.verify(&[pins.snapshot_key], 1).map_err(SnapshotError::Signature)?;
        if envelope.payload_type() != SNAPSHOT_TYPE {
            return Err(SnapshotError::Malformed("its payload type is another".to_owned()));
        }
        let document: SnapshotDocument = serde_json::from_slice(&verified.payload)
            .map_err(|it| SnapshotError::Malformed(it.to_string()))?;
        if document.schema != SNAPSHOT_SCHEMA {
            return Err(SnapshotError::Malformed("its schema is another".to_owned()));
        }
        if document.lane != pins.lane || document.environment != pins.environment {
            return Err(SnapshotError::AnotherGate);
        }
        if document.epoch < in_force {
            return Err(SnapshotError::WentBack { offered: document.epoch, in_force });
        }
        if ENTRIES_MAX < document.entries.len() {
            return Err(SnapshotError::TooMany);
        }
        let lease = document.lease.min(freshness::LEASE_MAX);
        let mut snapshot =
            Self { epoch: document.epoch, digest: Some(digest), lease, ..Self::empty() };
        let people = pins.people();
        for entry in document.entries {
            let slug = entry.integration.clone();
            let added = Entry::check(entry, pins, &people).and_then(|it| snapshot.add(it, pins));
            if let Err(error) = added {
                snapshot.left_out.push((slug, error));
            }
        }
        Ok(snapshot)
    }

    /// The integration that a client belongs to.
    pub(crate) fn entry(&self, client: &str) -> Option<&Entry> {
        self.clients.get(client).and_then(|it| self.entries.get(*it))
    }

    /// Whether an integration is in it.
    pub(crate) fn knows(&self, slug: &Slug) -> bool {
        self.clients.contains_key(slug.as_str())
    }

    fn add(&mut self, entry: Entry, pins: &Pins) -> Result<(), EntryError> {
        let mut names: Vec<String> =
            entry.grant.identities.iter().map(|it| it.client_id.clone()).collect();
        names.push(entry.integration.to_string());
        names.sort();
        names.dedup();
        if entry.grant.environment != pins.environment {
            self.elsewhere.extend(names);
            return Err(EntryError::AnotherEnvironment);
        }
        if let Some(taken) = names.iter().find(|it| self.clients.contains_key(*it)) {
            return Err(EntryError::SharedClient(taken.clone()));
        }
        let index = self.entries.len();
        self.clients.extend(names.into_iter().map(|it| (it, index)));
        self.entries.push(entry);
        Ok(())
    }

    /// The epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What was left out, and why.
    pub fn left_out(&self) -> &[(Slug, EntryError)] {
        &self.left_out
    }
}

impl Entry {
    fn check(entry: SnapshotEntry, pins: &Pins, people: &[Approver]) -> Result<Self, EntryError> {
        let (grant, certificate, not_before, not_after) = match entry.basis {
            Basis::Certificate { certificate, token, decision } if pins.lane == Lane::Certified => {
                let approved = Approved::check(&decision, people).map_err(EntryError::Approval)?;
                let claims = claims(&token, pins)?;
                let bound = claims.bound.certificate == certificate
                    && claims.bound.integration == entry.id
                    && claims.bound.decision == Digest::of(decision.unverified_payload())
                    && claims.is_bound_to(&approved);
                if !bound {
                    return Err(EntryError::Unbound);
                }
                let decided = approved.decision();
                let signed = Timestamp::from_seconds(claims.iat);
                let start = decided.not_before.max(signed - SKEW);
                let end = decided.not_after.min(Timestamp::from_seconds(claims.exp));
                let end = end.min(signed + SIGNATURE_MAX);
                (decided.grant.clone(), Some(certificate), start, end)
            }
            Basis::Trial { grant, .. } if pins.lane == Lane::Trial => {
                let end = Timestamp::from_millis(i64::MAX);
                (*grant, None, Timestamp::from_millis(i64::MIN), end)
            }
            _ => return Err(EntryError::AnotherEnvironment),
        };
        if grant.integration != entry.integration {
            return Err(EntryError::Unbound);
        }
        let network = |it: &String| network::parse(it).ok_or_else(|| EntryError::Grant(it.clone()));
        let networks = grant.networks.iter().map(network).collect::<Result<_, _>>()?;
        let hours = grant.hours.as_deref().map(str::parse).transpose();
        let hours =
            hours.map_err(|_| EntryError::Grant(grant.hours.clone().unwrap_or_default()))?;
        Ok(Self {
            integration: entry.integration,
            standing: entry.standing,
            watermark: entry.watermark,
            held: entry.held,
            certificate,
            grant,
            not_before,
            not_after,
            networks,
            hours,
        })
    }
}

fn claims(token: &str, pins: &Pins) -> Result<Claims, EntryError> {
    let key = VerifyingKey::ed25519(pins.certificate_key);
    let expect = Expect { typ: Some(CERTIFICATE_TYPE), issuer: Some(&pins.issuer), audience: None };
    let verified =
        jwt::verify(token, &[key], expect).map_err(|it| EntryError::Certificate(it.to_string()))?;
    serde_json::from_value(verified.claims).map_err(|it| EntryError::Certificate(it.to_string()))
}
