//! One integration: everything that events told about it.

use std::collections::{BTreeMap, BTreeSet};

use countersign_seal::{Digest, PublicKey};

use super::sweeps::{CameBack, WatchRecord};
use crate::check::assessment::ControlOutcome;
use crate::declare::manifest::Environment;
use crate::declare::path::Path;
use crate::declare::words::{ProfileRef, Slug};
use crate::id::{
    AssessmentId, CertificateId, DecisionId, DrillId, IntegrationId, PersonId, PlanId,
    RevocationId, WaiverId,
};
use crate::monitor::drift::Drift;
use crate::require::tier::Tier;
use crate::review::decision::Verb;
use crate::review::waiver::Waiver;
use crate::revoke::drill::DrillRecord;
use crate::revoke::withdrawal::{PathReceipt, WithdrawalKind};
use crate::time::Timestamp;

/// One integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: IntegrationId,
    /// Its own name.
    pub slug: Slug,
    /// The newest submission.
    pub submission: Submission,
    /// The newest assessment.
    pub assessment: Option<AssessmentRecord>,
    /// Decisions about the newest assessment, in order.
    pub decisions: Vec<DecisionRecord>,
    /// The plan that was made last.
    pub plan: Option<PlanRecord>,
    /// The certificate in force, or the last one.
    pub certificate: Option<CertificateRecord>,
    /// When its first certificate was signed.
    pub certified_since: Option<Timestamp>,
    /// Controls that were looked at again under the certificate and fail now, and since when.
    pub failing: BTreeMap<String, Timestamp>,
    /// Until when evidence of later looks under the certificate is fresh, by control.
    pub renewed: BTreeMap<String, Timestamp>,
    /// Waivers by id.
    pub waivers: BTreeMap<WaiverId, Waiver>,
    /// What differs from the certified baseline at the platform.
    pub drifts: Vec<Drift>,
    /// Since when something asks for recertification.
    pub due_since: Option<Timestamp>,
    /// Triggers that are open.
    pub triggers: BTreeSet<String>,
    /// The newest withdrawal.
    pub withdrawal: Option<WithdrawalRecord>,
    /// What withdrawals cut at the platform and nobody has given back yet.
    pub cut: Option<Cut>,
    /// Drills of an offboarding whose copies are tried again, or were the last of their client.
    pub watches: BTreeMap<DrillId, WatchRecord>,
    /// What came back after it had been offboarded, by client, until it is seen to stay away as long.
    pub came_back: BTreeMap<String, CameBack>,
    /// When trust was last withdrawn: credentials issued before stay dead after a new certification.
    pub watermark: Option<Timestamp>,
    /// The newest live drills, the oldest first.
    pub drills: Vec<DrillRecord>,
}

/// A submitted manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// When.
    pub at: Timestamp,
    /// By whom: the requester, who may not approve.
    pub requester: PersonId,
    /// Digest of the canonical form.
    pub manifest: Digest,
    /// Digest of the stored manifest.
    pub blob: Digest,
    /// Where it would count.
    pub environment: Environment,
    /// The profile.
    pub profile: ProfileRef,
    /// The tier in force.
    pub tier: Tier,
}

/// An assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessmentRecord {
    /// Its id.
    pub id: AssessmentId,
    /// When it ended.
    pub at: Timestamp,
    /// Its digest.
    pub digest: Digest,
    /// The manifest.
    pub manifest: Digest,
    /// Manifest and grants.
    pub baseline: Digest,
    /// The difference against what is certified.
    pub diff: Digest,
    /// What it made of each control.
    pub outcomes: Vec<ControlOutcome>,
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    /// Its id.
    pub id: DecisionId,
    /// Whose.
    pub person: PersonId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub verb: Verb,
    /// The statement that was signed.
    pub statement: Option<Digest>,
    /// The envelope with the signatures so far.
    pub envelope: Option<Digest>,
    /// The key that it was signed with.
    pub key: Option<PublicKey>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRecord {
    /// Its id.
    pub id: PlanId,
    /// The decision that it would carry out.
    pub decision: DecisionId,
    /// Its digest.
    pub digest: Digest,
    /// Until when it can be applied.
    pub until: Timestamp,
    /// Whether it was.
    pub applied: bool,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRecord {
    /// Its id.
    pub id: CertificateId,
    /// When it was signed first.
    pub at: Timestamp,
    /// The envelope with two people's signatures.
    pub envelope: Digest,
    /// The signed token.
    pub token: Digest,
    /// The manifest.
    pub manifest: Digest,
    /// Digest of the stored manifest.
    pub blob: Digest,
    /// Manifest and grants.
    pub baseline: Digest,
    /// What the assessment made of each control.
    pub outcomes: Vec<ControlOutcome>,
    /// Index in the status list.
    pub status_index: u64,
    /// From when.
    pub not_before: Timestamp,
    /// Until when the decision counts.
    pub not_after: Timestamp,
    /// When this signature ends.
    pub signature_ends: Timestamp,
    /// Index of its entry in the log.
    pub log_index: u64,
    /// Whether it was revoked.
    pub revoked: bool,
    /// The keys that its approvals were signed with, and still count, each with its person.
    pub keys: BTreeMap<PublicKey, PersonId>,
    /// Since when too few of them count; it never counts again.
    pub approver_lost: Option<Timestamp>,
}

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalRecord {
    /// Its id.
    pub id: RevocationId,
    /// When.
    pub at: Timestamp,
    /// For good or for a time.
    pub kind: WithdrawalKind,
    /// When a suspension ends.
    pub until: Option<Timestamp>,
    /// By whom; none where the server did it by the profile's rule.
    pub by: Option<PersonId>,
    /// Digest of the reason's text.
    pub reason: Digest,
    /// Each path.
    pub receipts: BTreeMap<Path, PathReceipt>,
    /// Who agreed to end it.
    pub resume: BTreeSet<PersonId>,
    /// Who agreed to destroy credentials.
    pub destroy: BTreeSet<PersonId>,
    /// Whether credentials were destroyed.
    pub destroyed: bool,
    /// Whether two people ended it.
    pub ended: bool,
    /// When they did.
    pub ended_at: Option<Timestamp>,
}

/// What withdrawals cut at the platform, to be given back when trust comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The newest withdrawal.
    pub revocation: RevocationId,
    /// The paths of all of them.
    pub paths: BTreeSet<Path>,
}

impl Record {
    /// Whether what was cut at the platform has to be given back: the withdrawal is over.
    pub fn gives_back(&self, now: Timestamp) -> bool {
        self.cut.is_some() && !self.withdrawal.as_ref().is_some_and(|it| it.is_active(now))
    }
}

impl Record {
    /// Until when the evidence for an outcome of the certificate is fresh: a later look that holds
    /// makes it younger, and never moves the end of the certificate.
    pub fn fresh_until(&self, outcome: &ControlOutcome) -> Option<Timestamp> {
        let renewed = self.renewed.get(&outcome.control).copied();
        outcome.fresh_until.map(|it| renewed.map_or(it, |renewed| it.max(renewed)))
    }

    /// Until when gates deny by order of a drill; none where none does now.
    pub fn drill_denies_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.drills.iter().filter_map(|it| it.denies_until).filter(|it| now < *it).max()
    }
}

impl WithdrawalRecord {
    /// Whether it still denies. A revocation has no end.
    pub fn is_active(&self, now: Timestamp) -> bool {
        !self.ended
            && (self.kind == WithdrawalKind::Revoke || self.until.is_none_or(|end| now < end))
    }
}
