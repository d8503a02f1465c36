//! What gates answer from: made from the registry, signed, and published as a whole.

use std::collections::BTreeMap;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Environment;
use countersign_model::enforce::Grant;
use countersign_model::enforce::snapshot::{
    Basis, Lane, SNAPSHOT_SCHEMA, SNAPSHOT_TYPE, SnapshotDocument, SnapshotEntry, Standing,
};
use countersign_model::lifecycle::standing;
use countersign_model::monitor::holds;
use countersign_model::registry::{Record, Registry};
use countersign_model::require::Catalogue;
use countersign_model::revoke::WithdrawalKind;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::dsse::Envelope;
use countersign_seal::{Digest, SigningKey, canonical_json};

/// What the entries are made from beside the registry, by digest.
#[derive(Debug, Default)]
pub(crate) struct Material {
    /// Signed certificates.
    pub(crate) tokens: BTreeMap<Digest, String>,
    /// Signed decisions.
    pub(crate) envelopes: BTreeMap<Digest, Envelope>,
    /// Manifests as they were submitted.
    pub(crate) manifests: BTreeMap<Digest, Manifest>,
}

/// A signed snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The envelope, as it travels.
    pub envelope: Vec<u8>,
    /// SHA-256 of those bytes.
    pub digest: Digest,
    /// What it says.
    pub document: SnapshotDocument,
}

/// How long what was certified goes on after a trigger: the profile's; none where it is not known.
pub(crate) fn grace(record: &Record) -> Period {
    let profile = Catalogue::embedded().profile(record.submission.profile.as_str());
    profile.map_or(Period::default(), |it| it.grace)
}

/// The entries of a lane, sorted by name.
pub(crate) fn entries(
    lane: Lane,
    registry: &Registry,
    material: &Material,
    now: Timestamp,
) -> Vec<SnapshotEntry> {
    let records = registry.slugs.values().filter_map(|it| registry.integrations.get(it));
    records
        .filter_map(|record| {
            let (standing, basis) = match lane {
                Lane::Certified => certified(record, material, now)?,
                Lane::Trial => trial(record, material, now)?,
            };
            // What differs was seen in production.
            let held = match lane {
                Lane::Certified => holds(&record.drifts),
                Lane::Trial => BTreeMap::new(),
            };
            let standing = drilled(standing, record, now);
            Some(SnapshotEntry {
                id: record.id.clone(),
                integration: record.slug.clone(),
                standing,
                watermark: record.watermark,
                held,
                basis,
            })
        })
        .collect()
}

/// A drill denies only what would be admitted: whatever takes trust away wins over it, and over its end.
fn drilled(standing: Standing, record: &Record, now: Timestamp) -> Standing {
    match (standing, record.drill_denies_until(now)) {
        (Standing::Good { .. }, Some(until)) => Standing::Suspended { until: Some(until) },
        (standing, _) => standing,
    }
}

fn certified(record: &Record, material: &Material, now: Timestamp) -> Option<(Standing, Basis)> {
    let certificate = record.certificate.as_ref()?;
    let basis = Basis::Certificate {
        certificate: certificate.id.clone(),
        token: material.tokens.get(&certificate.token)?.clone(),
        decision: material.envelopes.get(&certificate.envelope)?.clone(),
    };
    Some((standing(now, record, grace(record)), basis))
}

fn trial(record: &Record, material: &Material, now: Timestamp) -> Option<(Standing, Basis)> {
    let manifest = material.manifests.get(&record.submission.blob)?;
    let grant = Box::new(Grant::compile(manifest));
    let basis = Basis::Trial { manifest: record.submission.manifest, grant };
    let open = Standing::Good { until: record.submission.at + TRIAL_MAX };
    let standing = match record.withdrawal.as_ref().filter(|it| !it.ended) {
        None => open,
        // The way back from a revocation is a new submission, which has to be tried again.
        Some(it) if it.kind == WithdrawalKind::Revoke => {
            if it.at < record.submission.at {
                open
            } else {
                Standing::Revoked
            }
        }
        Some(it) if it.until.is_some_and(|end| end <= now) => open,
        Some(it) => Standing::Suspended { until: it.until },
    };
    Some((standing, basis))
}

/// How long something submitted may be tried at most.
const TRIAL_MAX: Period = Period::from_days(365);

/// Who signs, and for where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Issuer<'a> {
    pub(crate) environment: Environment,
    pub(crate) lease: Period,
    pub(crate) key: &'a SigningKey,
}

/// Signs entries as one snapshot.
pub(crate) fn sign(
    lane: Lane,
    entries: Vec<SnapshotEntry>,
    epoch: u64,
    now: Timestamp,
    issuer: Issuer<'_>,
) -> Result<Signed, SignError> {
    let document = SnapshotDocument {
        schema: SNAPSHOT_SCHEMA.to_owned(),
        lane,
        environment: issuer.environment,
        epoch,
        issued_at: now,
        lease: issuer.lease,
        entries,
    };
    let payload = canonical_json(&document)?;
    let envelope = serde_json::to_vec(&Envelope::sign(SNAPSHOT_TYPE, payload, issuer.key)?)?;
    Ok(Signed { digest: Digest::of(&envelope), envelope, document })
}

/// A snapshot cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// It has no canonical form.
    #[error("snapshot has no canonical form")]
    Canonical(#[from] countersign_seal::CanonicalError),
    /// It is too large for an envelope.
    #[error("snapshot does not fit an envelope")]
    Envelope(#[from] countersign_seal::dsse::DsseError),
    /// It cannot be written.
    #[error("snapshot cannot be written")]
    Json(#[from] serde_json::Error),
}
