//! Everything that is known, folded from the events. Views are made from this and can be dropped.

use std::collections::{BTreeMap, BTreeSet};

use countersign_seal::{Digest, PublicKey};

use crate::check::assessment::ControlOutcome;
use crate::declare::manifest::Environment;
use crate::declare::path::Path;
use crate::declare::words::{ProfileRef, Slug};
use crate::enforce::snapshot::Approver;
use crate::event::{Event, What};
use crate::id::{
    AssessmentId, CertificateId, DecisionId, IntegrationId, PersonId, PlanId, RevocationId,
    WaiverId,
};
use crate::monitor::drift::Drift;
use crate::require::tier::Tier;
use crate::review::decision::Verb;
use crate::review::waiver::Waiver;
use crate::revoke::withdrawal::{PathReceipt, PathState, WithdrawalKind};
use crate::time::Timestamp;

/// Everything that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// How many events were folded.
    pub size: u64,
    /// Integrations by id.
    pub integrations: BTreeMap<IntegrationId, Record>,
    /// Ids by the integrations' own names.
    pub slugs: BTreeMap<Slug, IntegrationId>,
    /// Keys that count in a review, by person.
    pub approvers: Vec<Approver>,
    /// Enrolled gates.
    pub gates: BTreeSet<String>,
    /// The next free index of the status list.
    pub next_status_index: u64,
}

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
    /// When trust was last withdrawn: credentials issued before stay dead after a new certification.
    pub watermark: Option<Timestamp>,
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
}

impl Registry {
    /// Folds events in order.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut registry = Self::default();
        for event in events {
            registry.apply(event);
        }
        registry
    }

    /// Looks an integration up by its own name or its id.
    pub fn find(&self, name: &str) -> Option<&Record> {
        let by_slug = name.parse::<Slug>().ok().and_then(|it| self.slugs.get(&it).cloned());
        let id = by_slug.or_else(|| name.parse().ok())?;
        self.integrations.get(&id)
    }

    /// The person whose key this is.
    pub fn person_of(&self, key: PublicKey) -> Option<&PersonId> {
        self.approvers.iter().find(|it| it.key == key).map(|it| &it.person)
    }

    /// Takes one event in. Total: an event about something unknown changes nothing.
    pub fn apply(&mut self, event: &Event) {
        let index = self.size;
        self.size += 1;
        match &event.what {
            What::KeyEnrolled { person, key } => {
                let approver = Approver { person: person.clone(), key: *key };
                if !self.approvers.iter().any(|it| it.key == approver.key) {
                    self.approvers.push(approver);
                }
            }
            What::KeyRevoked { key } => self.approvers.retain(|it| it.key != *key),
            What::GateEnrolled { gate } => {
                self.gates.insert(gate.clone());
            }
            What::Submitted { .. } => self.submitted(event),
            what => {
                if let What::Certified { status_index, .. } = what {
                    self.next_status_index = self.next_status_index.max(status_index + 1);
                }
                let record = what.integration().and_then(|it| self.integrations.get_mut(it));
                if let Some(record) = record {
                    record.apply(event, index);
                }
            }
        }
    }

    fn submitted(&mut self, event: &Event) {
        let What::Submitted {
            integration,
            slug,
            manifest,
            blob,
            environment,
            profile,
            tier,
            triggers,
        } = &event.what
        else {
            return;
        };
        let Some(requester) = event.by.clone() else { return };
        let submission = Submission {
            at: event.at,
            requester,
            manifest: *manifest,
            blob: *blob,
            environment: *environment,
            profile: profile.clone(),
            tier: *tier,
        };
        self.slugs.insert(slug.clone(), integration.clone());
        if let Some(record) = self.integrations.get_mut(integration) {
            record.resubmitted(submission, triggers, event.at);
        } else {
            let record = Record::new(integration.clone(), slug.clone(), submission);
            self.integrations.insert(integration.clone(), record);
        }
    }
}

impl Record {
    fn new(id: IntegrationId, slug: Slug, submission: Submission) -> Self {
        Self {
            id,
            slug,
            submission,
            assessment: None,
            decisions: Vec::new(),
            plan: None,
            certificate: None,
            certified_since: None,
            waivers: BTreeMap::new(),
            drifts: Vec::new(),
            due_since: None,
            triggers: BTreeSet::new(),
            withdrawal: None,
            watermark: None,
        }
    }

    fn resubmitted(&mut self, submission: Submission, triggers: &[String], at: Timestamp) {
        let changed = self.submission.manifest != submission.manifest;
        self.submission = submission;
        if changed {
            self.assessment = None;
            self.decisions.clear();
            self.plan = None;
            let certified = self.certificate.as_ref().map(|it| it.manifest);
            if certified.is_some_and(|it| it != self.submission.manifest) {
                self.triggers.extend(triggers.iter().cloned());
                self.due_since = self.due_since.or(Some(at));
            }
        }
    }

    fn apply(&mut self, event: &Event, index: u64) {
        match &event.what {
            What::Assessed { assessment, digest, manifest, baseline, diff, outcomes, .. } => {
                self.decisions.clear();
                self.plan = None;
                self.assessment = Some(AssessmentRecord {
                    id: assessment.clone(),
                    at: event.at,
                    digest: *digest,
                    manifest: *manifest,
                    baseline: *baseline,
                    diff: *diff,
                    outcomes: outcomes.clone(),
                });
            }
            What::WaiverRequested { waiver, .. } => {
                self.waivers.insert(waiver.id.clone(), waiver.clone());
            }
            What::WaiverGranted { waiver, .. } => {
                if let Some(it) = self.waivers.get_mut(waiver) {
                    it.granter.clone_from(&event.by);
                }
            }
            What::WaiverEnded { waiver, .. } => {
                if let Some(it) = self.waivers.get_mut(waiver) {
                    it.ended = Some(event.at);
                }
            }
            What::Decided { decision, verb, statement, envelope, .. } => {
                let Some(person) = event.by.clone() else { return };
                self.decisions.push(DecisionRecord {
                    id: decision.clone(),
                    person,
                    at: event.at,
                    verb: *verb,
                    statement: *statement,
                    envelope: *envelope,
                });
            }
            What::Planned { plan, decision, digest, until, .. } => {
                self.plan = Some(PlanRecord {
                    id: plan.clone(),
                    decision: decision.clone(),
                    digest: *digest,
                    until: *until,
                    applied: false,
                });
            }
            What::Certified { .. } => self.certified(event, index),
            What::Renewed { certificate, token, signature_ends, .. } => {
                if let Some(it) = self.certificate.as_mut().filter(|it| it.id == *certificate) {
                    it.token = *token;
                    it.signature_ends = *signature_ends;
                }
            }
            What::Drifted { drifts, .. } => {
                self.drifts.clone_from(drifts);
                self.triggers.extend(drifts.iter().map(|it| it.trigger.clone()));
                self.due_since = self.due_since.or(Some(event.at));
            }
            What::Settled { .. } => {
                self.drifts.clear();
                let certified = self.certificate.as_ref().map(|it| it.manifest);
                if certified == Some(self.submission.manifest) {
                    self.triggers.clear();
                    self.due_since = None;
                }
            }
            _ => self.withdrawal_moved(event),
        }
    }

    fn certified(&mut self, event: &Event, index: u64) {
        let What::Certified {
            certificate,
            envelope,
            token,
            manifest,
            baseline,
            status_index,
            not_before,
            not_after,
            signature_ends,
            ..
        } = &event.what
        else {
            return;
        };
        let outcomes = self.assessment.as_ref().map(|it| it.outcomes.clone()).unwrap_or_default();
        self.certificate = Some(CertificateRecord {
            id: certificate.clone(),
            at: event.at,
            envelope: *envelope,
            token: *token,
            manifest: *manifest,
            baseline: *baseline,
            outcomes,
            status_index: *status_index,
            not_before: *not_before,
            not_after: *not_after,
            signature_ends: *signature_ends,
            log_index: index,
            revoked: false,
        });
        self.certified_since = self.certified_since.or(Some(event.at));
        if let Some(plan) = &mut self.plan {
            plan.applied = true;
        }
        self.drifts.clear();
        self.triggers.clear();
        self.due_since = None;
        self.withdrawal = None;
    }

    fn withdrawal_moved(&mut self, event: &Event) {
        if let What::Withdrawn { revocation, how, until, paths, .. } = &event.what {
            let receipt = |path: &Path| PathReceipt {
                path: path.clone(),
                state: PathState::Asked,
                ms: 0,
                by: "command".to_owned(),
            };
            self.watermark = self.watermark.max(Some(event.at));
            self.withdrawal = Some(WithdrawalRecord {
                id: revocation.clone(),
                at: event.at,
                kind: *how,
                until: *until,
                receipts: paths.iter().map(|it| (it.clone(), receipt(it))).collect(),
                resume: BTreeSet::new(),
                destroy: BTreeSet::new(),
                destroyed: false,
                ended: false,
            });
            if *how == WithdrawalKind::Revoke {
                self.assessment = None;
                self.decisions.clear();
                self.plan = None;
                if let Some(certificate) = &mut self.certificate {
                    certificate.revoked = true;
                }
            }
            return;
        }
        let Some(withdrawal) = &mut self.withdrawal else { return };
        match &event.what {
            What::PathMoved { revocation, receipt, .. } if *revocation == withdrawal.id => {
                withdrawal.receipts.insert(receipt.path.clone(), receipt.clone());
            }
            What::ResumeAgreed { revocation, .. } if *revocation == withdrawal.id => {
                withdrawal.resume.extend(event.by.clone());
                withdrawal.ended =
                    withdrawal.kind == WithdrawalKind::Suspend && 2 <= withdrawal.resume.len();
            }
            What::DestroyAgreed { revocation, .. } if *revocation == withdrawal.id => {
                withdrawal.destroy.extend(event.by.clone());
            }
            What::Destroyed { revocation, .. } if *revocation == withdrawal.id => {
                withdrawal.destroyed = true;
            }
            _ => {}
        }
    }
}
