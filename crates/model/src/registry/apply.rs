//! What each event changes in the record of its integration.

use std::collections::{BTreeMap, BTreeSet};

use countersign_seal::{Digest, PublicKey};

use super::record::{
    AssessmentRecord, CertificateRecord, Cut, DecisionRecord, PlanRecord, Record, Submission,
    WithdrawalRecord,
};
use crate::check::assessment::ControlOutcome;
use crate::check::outcome::Outcome;
use crate::declare::path::Path;
use crate::declare::words::Slug;
use crate::event::{Event, What};
use crate::id::{DecisionId, IntegrationId, PersonId};
use crate::require::requirement::Level;
use crate::review::quorum::APPROVERS_MIN;
use crate::revoke::withdrawal::{PathReceipt, PathState, WithdrawalKind};
use crate::time::Timestamp;

impl Record {
    pub(super) fn new(id: IntegrationId, slug: Slug, submission: Submission) -> Self {
        Self {
            id,
            slug,
            submission,
            assessment: None,
            decisions: Vec::new(),
            plan: None,
            certificate: None,
            certified_since: None,
            failing: BTreeMap::new(),
            renewed: BTreeMap::new(),
            waivers: BTreeMap::new(),
            drifts: Vec::new(),
            due_since: None,
            triggers: BTreeSet::new(),
            withdrawal: None,
            cut: None,
            watches: BTreeMap::new(),
            came_back: BTreeMap::new(),
            watermark: None,
            drills: Vec::new(),
        }
    }

    pub(super) fn resubmitted(
        &mut self,
        submission: Submission,
        triggers: &[String],
        at: Timestamp,
    ) {
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
            } else if certified.is_some() && self.drifts.is_empty() {
                // What is declared is again what was certified.
                self.triggers.clear();
                self.due_since = None;
            }
        }
    }

    pub(super) fn apply(&mut self, event: &Event, index: u64) {
        match &event.what {
            What::Assessed { assessment, digest, manifest, baseline, diff, outcomes, .. } => {
                self.decisions.clear();
                self.plan = None;
                self.looked_again((*manifest, *baseline), outcomes, event.at);
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
            What::Decided { decision, verb, statement, envelope, key, .. } => {
                let Some(person) = event.by.clone() else { return };
                self.decisions.push(DecisionRecord {
                    id: decision.clone(),
                    person,
                    at: event.at,
                    verb: *verb,
                    statement: *statement,
                    envelope: *envelope,
                    key: *key,
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
            What::CanariesKept { .. } | What::Swept { .. } | What::SweepsEnded { .. } => {
                self.watch_moved(event);
            }
            What::DrillAnnounced { .. }
            | What::DrillDenied { .. }
            | What::DrillLifted { .. }
            | What::Drilled { .. } => super::drills::apply(&mut self.drills, event),
            _ => self.withdrawal_moved(event),
        }
    }

    /// Holds a new assessment against the certificate in force.
    ///
    /// What failed already when two people decided is what they accepted: `after-certify` counts from
    /// the certificate on. What could not be judged this time changes nothing.
    fn looked_again(
        &mut self,
        (manifest, baseline): (Digest, Digest),
        outcomes: &[ControlOutcome],
        at: Timestamp,
    ) {
        let certificate = self.certificate.as_ref();
        let Some(certificate) = certificate.filter(|it| it.manifest == manifest) else { return };
        if certificate.baseline == baseline {
            let holds = outcomes.iter().filter(|it| it.outcome == Outcome::Pass);
            let fresh = holds.filter_map(|it| Some((it.control.clone(), it.fresh_until?)));
            self.renewed.extend(fresh);
        }
        for it in outcomes.iter().filter(|it| it.level != Level::Observe) {
            let accepted = |known: &ControlOutcome| {
                known.control == it.control && known.outcome == Outcome::Fail
            };
            if it.outcome == Outcome::Fail && !certificate.outcomes.iter().any(accepted) {
                self.failing.entry(it.control.clone()).or_insert(at);
            } else if !it.outcome.blocks() {
                self.failing.remove(&it.control);
            }
        }
    }

    /// The keys under a decision, each with its person.
    fn signed_by(&self, decision: &DecisionId) -> BTreeMap<PublicKey, PersonId> {
        let of = self.decisions.iter().filter(|it| it.id == *decision && it.verb.grants());
        of.filter_map(|it| Some((it.key?, it.person.clone()))).collect()
    }

    /// A key no longer counts: a certificate that rests on too few people counts no longer either.
    pub(super) fn key_revoked(&mut self, key: PublicKey, at: Timestamp) {
        let Some(certificate) = &mut self.certificate else { return };
        if certificate.keys.remove(&key).is_none() {
            return;
        }
        let people: BTreeSet<&PersonId> = certificate.keys.values().collect();
        if people.len() < APPROVERS_MIN {
            certificate.approver_lost = certificate.approver_lost.or(Some(at));
        }
    }

    fn certified(&mut self, event: &Event, index: u64) {
        let What::Certified {
            certificate,
            decision,
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
            blob: self.submission.blob,
            baseline: *baseline,
            outcomes,
            status_index: *status_index,
            not_before: *not_before,
            not_after: *not_after,
            signature_ends: *signature_ends,
            log_index: index,
            revoked: false,
            keys: self.signed_by(decision),
            approver_lost: None,
        });
        self.watches_certified();
        self.certified_since = self.certified_since.or(Some(event.at));
        if let Some(plan) = &mut self.plan {
            plan.applied = true;
        }
        self.drifts.clear();
        self.failing.clear();
        self.renewed.clear();
        self.triggers.clear();
        self.due_since = None;
        self.withdrawal = None;
    }

    fn withdrawal_moved(&mut self, event: &Event) {
        if let What::Withdrawn { revocation, how, until, reason, paths, .. } = &event.what {
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
                by: event.by.clone(),
                reason: *reason,
                receipts: paths.iter().map(|it| (it.clone(), receipt(it))).collect(),
                resume: BTreeSet::new(),
                destroy: BTreeSet::new(),
                destroyed: false,
                ended: false,
                ended_at: None,
            });
            let mut cut = self.cut.take().map(|it| it.paths).unwrap_or_default();
            cut.extend(paths.iter().cloned());
            self.cut = Some(Cut { revocation: revocation.clone(), paths: cut });
            if *how == WithdrawalKind::Revoke {
                self.watches_revoked(event.at);
                self.assessment = None;
                self.decisions.clear();
                self.plan = None;
                if let Some(certificate) = &mut self.certificate {
                    certificate.revoked = true;
                }
            }
            return;
        }
        if let What::Restored { revocation, .. } = &event.what {
            self.cut.take_if(|it| it.revocation == *revocation);
            return;
        }
        let Some(withdrawal) = &mut self.withdrawal else { return };
        match &event.what {
            What::PathMoved { revocation, receipt, .. } if *revocation == withdrawal.id => {
                withdrawal.receipts.insert(receipt.path.clone(), receipt.clone());
            }
            What::ResumeAgreed { revocation, .. } if *revocation == withdrawal.id => {
                withdrawal.resume.extend(event.by.clone());
                let enough = APPROVERS_MIN <= withdrawal.resume.len();
                if withdrawal.kind == WithdrawalKind::Suspend && enough && !withdrawal.ended {
                    withdrawal.ended = true;
                    withdrawal.ended_at = Some(event.at);
                }
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
