//! One certified integration, and the keys around it.

use std::collections::BTreeSet;
use std::time::Instant;

use countersign_gate::{Gate, Pins};
use countersign_model::certify::Claims;
use countersign_model::certify::certificate::{CERTIFICATE_TYPE, Issuing};
use countersign_model::declare::manifest::Environment;
use countersign_model::declare::{Format, Manifest, parse};
use countersign_model::enforce::snapshot::{
    Approver, Basis, Lane, SNAPSHOT_SCHEMA, SNAPSHOT_TYPE, SnapshotDocument, SnapshotEntry,
    Standing,
};
use countersign_model::enforce::{Grant, Hold};
use countersign_model::id::{AssessmentId, CertificateId, DecisionId, IntegrationId, PersonId};
use countersign_model::require::tier::Tier;
use countersign_model::review::decision::DECISION_SCHEMA;
use countersign_model::review::{Approved, Decision};
use countersign_model::time::{Period, Timestamp};
use countersign_seal::dsse::Envelope;
use countersign_seal::{Digest, SigningKey, canonical_json, jwt};

pub(crate) const SAAS: &str = include_str!("../../../../spec/vectors/manifest/saas.toml");
pub(crate) const PAYROLL: &str = include_str!("../../../../spec/vectors/manifest/payroll.toml");
pub(crate) const MARKETPLACE: &str =
    include_str!("../../../../spec/vectors/manifest/marketplace.toml");
pub(crate) const RESELLER: &str = include_str!("../../../../spec/vectors/manifest/reseller.toml");

/// A Tuesday, 09:00 UTC.
pub(crate) fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
    Timestamp::from_seconds(start.seconds() + seconds)
}

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

pub(crate) fn person(number: u8) -> PersonId {
    PersonId::new(at(0), [number; 10])
}

pub(crate) fn manifest(text: &str) -> Manifest {
    parse(text, Format::Toml).unwrap().manifest
}

/// What is pinned: approvers 2 and 3, where 3 has a second key 33.
pub(crate) fn pins() -> Pins {
    let approver = |who, with| Approver { person: person(who), key: key(with).public() };
    Pins {
        lane: Lane::Certified,
        environment: Environment::Production,
        snapshot_key: key(100).public(),
        certificate_key: key(101).public(),
        issuer: "https://countersign.example".to_owned(),
        approvers: vec![approver(2, 2), approver(3, 3), approver(3, 33)],
    }
}

/// How an entry came about; each field can be wrong.
#[derive(Debug, Clone)]
pub(crate) struct Making {
    pub(crate) text: &'static str,
    pub(crate) signers: Vec<u8>,
    pub(crate) certificate_key: u8,
    pub(crate) snapshot_key: u8,
    pub(crate) environment: Environment,
    pub(crate) lane: Lane,
    pub(crate) other_statement: bool,
    pub(crate) standing: Standing,
    pub(crate) watermark: Option<Timestamp>,
    pub(crate) held: Option<Hold>,
    pub(crate) epoch: u64,
}

pub(crate) fn right(text: &'static str) -> Making {
    Making {
        text,
        signers: vec![2, 3],
        certificate_key: 101,
        snapshot_key: 100,
        environment: Environment::Production,
        lane: Lane::Certified,
        other_statement: false,
        standing: Standing::Good { until: at(86_400) },
        watermark: None,
        held: None,
        epoch: 7,
    }
}

fn decision(grant: Grant) -> Decision {
    Decision {
        schema: DECISION_SCHEMA.to_owned(),
        decision: DecisionId::new(at(0), [5; 10]),
        integration: IntegrationId::new(at(0), [1; 10]),
        assessment: AssessmentId::new(at(0), [4; 10]),
        assessment_digest: Digest::of(b"assessment"),
        baseline: Digest::of(b"baseline"),
        seen_diff: Digest::of(b"diff"),
        profile: "saas-vendor@1".parse().unwrap(),
        tier: Tier::Elevated,
        waivers: Vec::new(),
        removed_scopes: BTreeSet::new(),
        grant,
        not_before: at(-60),
        not_after: at(20 * 86_400),
    }
}

fn envelope(decision: &Decision, signers: &[u8]) -> Envelope {
    let payload = decision.statement(Digest::of(b"manifest")).unwrap();
    let mut envelope = Envelope::new(Decision::payload_type(), payload).unwrap();
    for number in signers {
        let _repeated = envelope.add_signature(&key(*number));
    }
    envelope
}

/// The signed snapshot that this making leads to.
pub(crate) fn snapshot(making: &Making) -> Vec<u8> {
    let mut grant = Grant::compile(&manifest(making.text));
    grant.environment = making.environment;
    let slug = grant.integration.clone();
    let decided = decision(grant);
    // The certificate always rests on a right approval; what is shown beside it may be another.
    let all = pins();
    let proper = envelope(&decided, &[2, 3]);
    let approved = Approved::check(&proper, &all.approvers).unwrap();
    let certificate = CertificateId::new(at(0), [6; 10]);
    let claims = Claims::issue(
        &approved,
        Issuing {
            issuer: all.issuer.clone(),
            certificate: certificate.clone(),
            log_index: 3,
            status_index: 0,
            decision: Digest::of(proper.unverified_payload()),
            data_paths: BTreeSet::new(),
            owner: Digest::of(b"owner"),
            now: at(0),
        },
    );
    let signer = key(making.certificate_key);
    let kid = signer.key_id();
    let token = jwt::sign(CERTIFICATE_TYPE, kid.as_str(), &claims, &signer).unwrap();
    let mut shown = decided.clone();
    if making.other_statement {
        shown.seen_diff = Digest::of(b"another");
    }
    let entry = SnapshotEntry {
        id: decided.integration.clone(),
        integration: slug,
        standing: making.standing,
        watermark: making.watermark,
        held: making
            .held
            .iter()
            .map(|it| (decided.grant.identities[0].client_id.clone(), it.clone()))
            .collect(),
        basis: Basis::Certificate {
            certificate,
            token,
            decision: envelope(&shown, &making.signers),
        },
    };
    let document = SnapshotDocument {
        schema: SNAPSHOT_SCHEMA.to_owned(),
        lane: making.lane,
        environment: making.environment,
        epoch: making.epoch,
        issued_at: at(0),
        lease: Period::from_seconds(5),
        entries: vec![entry],
    };
    let payload = canonical_json(&document).unwrap();
    let signed = Envelope::sign(SNAPSHOT_TYPE, payload, &key(making.snapshot_key)).unwrap();
    serde_json::to_vec(&signed).unwrap()
}

/// A gate that has just loaded what this making leads to, and that moment.
#[expect(clippy::disallowed_methods, reason = "a test has to start somewhere on the steady clock")]
pub(crate) fn gate(making: &Making) -> (Gate, Instant) {
    let gate = Gate::new(pins());
    let start = Instant::now();
    let _refused = gate.load(&snapshot(making), start);
    (gate, start)
}
