//! What happened: the entries of the ledger. Digests and opaque ids only; names and bulk live in blobs.
//! One exception: a drift says what the platform calls whoever made it, because that has to be found here.

use std::collections::BTreeSet;

use countersign_seal::{Digest, PublicKey};
use serde::{Deserialize, Serialize};

use crate::check::assessment::ControlOutcome;
use crate::check::verdict::Verdict;
use crate::declare::manifest::Environment;
use crate::declare::path::Path;
use crate::declare::words::{ProfileRef, Slug};
use crate::id::{
    AssessmentId, CertificateId, DecisionId, DrillId, EvidenceId, IntegrationId, PersonId, PlanId,
    RevocationId, WaiverId,
};
use crate::monitor::drift::Drift;
use crate::monitor::sweep::{Gone, Watch};
use crate::require::tier::Tier;
use crate::review::decision::Verb;
use crate::review::waiver::Waiver;
use crate::revoke::drill::{DrillOutcome, DrillPart};
use crate::revoke::withdrawal::{PathReceipt, WithdrawalKind};
use crate::time::{Period, Timestamp};

/// The schema name of an event.
pub const EVENT_SCHEMA: &str = "countersign.event/1";

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `countersign.event/1`.
    pub schema: String,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it; none when the server's own loops did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

impl Event {
    /// An event of this moment.
    pub fn new(at: Timestamp, by: Option<PersonId>, what: What) -> Self {
        Self { schema: EVENT_SCHEMA.to_owned(), at, by, what }
    }
}

/// What happened. The kind names the step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum What {
    /// A person's key counts from now on.
    #[serde(rename = "review.key-enrolled")]
    KeyEnrolled {
        /// Whose.
        person: PersonId,
        /// The key.
        key: PublicKey,
    },
    /// A person's key no longer counts.
    #[serde(rename = "review.key-revoked")]
    KeyRevoked {
        /// The key.
        key: PublicKey,
    },
    /// A manifest was submitted.
    #[serde(rename = "declare.submitted")]
    Submitted {
        /// The integration.
        integration: IntegrationId,
        /// Its own name.
        slug: Slug,
        /// Digest of the manifest's canonical form.
        manifest: Digest,
        /// Digest of the manifest as stored.
        blob: Digest,
        /// Where it would count.
        environment: Environment,
        /// The profile that judges it.
        profile: ProfileRef,
        /// The tier in force: the stricter of declared and computed.
        tier: Tier,
        /// Words of the changes that reopen the certification: `scope-added`.
        triggers: Vec<String>,
    },
    /// Somebody answers for clients that nobody declared yet.
    #[serde(rename = "declare.adopted")]
    Adopted {
        /// `production` or `test`.
        platform: String,
        /// Digest of the list, which stands for the one before.
        adopted: Digest,
    },
    /// A run of checks ended.
    #[serde(rename = "check.assessed")]
    Assessed {
        /// The integration.
        integration: IntegrationId,
        /// The run.
        assessment: AssessmentId,
        /// Digest of the assessment.
        digest: Digest,
        /// The manifest that was in force.
        manifest: Digest,
        /// Manifest and grants.
        baseline: Digest,
        /// Digest of the difference against what is certified.
        diff: Digest,
        /// What it made of each control.
        outcomes: Vec<ControlOutcome>,
    },
    /// The credentials of a copy that was offboarded are kept, to be tried again.
    #[serde(rename = "check.canaries-kept")]
    CanariesKept {
        /// The integration.
        integration: IntegrationId,
        /// The run that did it.
        assessment: AssessmentId,
        /// The drill, and what it owes.
        watch: Watch,
        /// Younger drills that are watched no longer: there is room for so many.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        replaces: Vec<DrillId>,
    },
    /// A waiver was asked for.
    #[serde(rename = "review.waiver-requested")]
    WaiverRequested {
        /// The integration.
        integration: IntegrationId,
        /// The waiver.
        waiver: Waiver,
    },
    /// A waiver was granted.
    #[serde(rename = "review.waiver-granted")]
    WaiverGranted {
        /// The integration.
        integration: IntegrationId,
        /// The waiver.
        waiver: WaiverId,
    },
    /// A waiver was ended early.
    #[serde(rename = "review.waiver-ended")]
    WaiverEnded {
        /// The integration.
        integration: IntegrationId,
        /// The waiver.
        waiver: WaiverId,
    },
    /// A person decided.
    #[serde(rename = "review.decided")]
    Decided {
        /// The integration.
        integration: IntegrationId,
        /// The decision.
        decision: DecisionId,
        /// What they decided.
        verb: Verb,
        /// The assessment that they looked at.
        assessment: AssessmentId,
        /// Digest of the statement that they signed, where the verb grants.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        statement: Option<Digest>,
        /// Digest of the envelope with the signatures so far, where the verb grants.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        envelope: Option<Digest>,
        /// The key that they signed with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<PublicKey>,
        /// Digest of the difference that was on the screen.
        seen_diff: Digest,
        /// Digest of the reason's text.
        reason: Digest,
    },
    /// A certification was planned.
    #[serde(rename = "certify.planned")]
    Planned {
        /// The integration.
        integration: IntegrationId,
        /// The plan.
        plan: PlanId,
        /// The decision that it would carry out.
        decision: DecisionId,
        /// Digest of the plan.
        digest: Digest,
        /// Until when it can be applied.
        until: Timestamp,
    },
    /// A certificate was signed.
    #[serde(rename = "certify.certified")]
    Certified {
        /// The integration.
        integration: IntegrationId,
        /// The certificate.
        certificate: CertificateId,
        /// The plan.
        plan: PlanId,
        /// The decision under it.
        decision: DecisionId,
        /// Digest of the envelope with two people's signatures.
        envelope: Digest,
        /// Digest of the signed token.
        token: Digest,
        /// The manifest.
        manifest: Digest,
        /// Manifest and grants.
        baseline: Digest,
        /// Index in the status list.
        status_index: u64,
        /// From when.
        not_before: Timestamp,
        /// Until when the decision counts.
        not_after: Timestamp,
        /// When this signature ends.
        signature_ends: Timestamp,
    },
    /// A certificate was signed again.
    #[serde(rename = "certify.renewed")]
    Renewed {
        /// The integration.
        integration: IntegrationId,
        /// The certificate.
        certificate: CertificateId,
        /// Digest of the new token.
        token: Digest,
        /// When this signature ends.
        signature_ends: Timestamp,
    },
    /// A gate was enrolled.
    #[serde(rename = "enforce.gate-enrolled")]
    GateEnrolled {
        /// Its name.
        gate: String,
    },
    /// Something differs from what was certified.
    #[serde(rename = "monitor.drifted")]
    Drifted {
        /// The integration.
        integration: IntegrationId,
        /// Manifest and grants as they are now.
        baseline: Digest,
        /// What differs.
        drifts: Vec<Drift>,
    },
    /// What was offboarded was tried again.
    #[serde(rename = "monitor.swept")]
    Swept {
        /// The integration.
        integration: IntegrationId,
        /// The drill.
        drill: DrillId,
        /// Which look: `T+24 h`.
        sweep: String,
        /// What it came to.
        verdict: Verdict,
        /// The evidence.
        evidence: EvidenceId,
        /// Its digest.
        digest: Digest,
        /// The word of what asks for recertification, where something came back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trigger: Option<String>,
    },
    /// A drill is watched no longer, though it owes something.
    #[serde(rename = "monitor.sweeps-ended")]
    SweepsEnded {
        /// The integration.
        integration: IntegrationId,
        /// The drill.
        drill: DrillId,
        /// Why.
        why: Gone,
    },
    /// It no longer differs.
    #[serde(rename = "monitor.settled")]
    Settled {
        /// The integration.
        integration: IntegrationId,
    },
    /// Trust was withdrawn.
    #[serde(rename = "revoke.withdrawn")]
    Withdrawn {
        /// The integration.
        integration: IntegrationId,
        /// The withdrawal.
        revocation: RevocationId,
        /// For good or for a time.
        how: WithdrawalKind,
        /// When a suspension ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Digest of the reason's text.
        reason: Digest,
        /// What has to be cut.
        paths: Vec<Path>,
    },
    /// A path of a withdrawal came further.
    #[serde(rename = "revoke.path-moved")]
    PathMoved {
        /// The integration.
        integration: IntegrationId,
        /// The withdrawal.
        revocation: RevocationId,
        /// How far.
        receipt: PathReceipt,
    },
    /// One of the two people who must agree to end a suspension did.
    #[serde(rename = "revoke.resume-agreed")]
    ResumeAgreed {
        /// The integration.
        integration: IntegrationId,
        /// The withdrawal.
        revocation: RevocationId,
    },
    /// What was cut at the platform was given back: the withdrawal is over.
    #[serde(rename = "revoke.restored")]
    Restored {
        /// The integration.
        integration: IntegrationId,
        /// The newest withdrawal that had cut it.
        revocation: RevocationId,
    },
    /// One of the two people who must agree to destroy credentials did.
    #[serde(rename = "revoke.destroy-agreed")]
    DestroyAgreed {
        /// The integration.
        integration: IntegrationId,
        /// The withdrawal.
        revocation: RevocationId,
    },
    /// Credentials were destroyed at the platform.
    #[serde(rename = "revoke.destroyed")]
    Destroyed {
        /// The integration.
        integration: IntegrationId,
        /// The withdrawal.
        revocation: RevocationId,
        /// How many clients, keys and subscriptions.
        destroyed: u32,
    },
    /// A live drill is about to begin, and those it concerns were told.
    #[serde(rename = "revoke.drill-announced")]
    DrillAnnounced {
        /// The integration.
        integration: IntegrationId,
        /// The drill.
        drill: DrillId,
        /// What it rehearses.
        parts: BTreeSet<DrillPart>,
        /// When it is over at the latest, and everything is as before.
        until: Timestamp,
        /// Digest of whom it was announced to.
        announcement: Digest,
    },
    /// Gates deny by order of a drill. It touches neither certificate nor approvals, and ends by itself.
    #[serde(rename = "revoke.drill-denied")]
    DrillDenied {
        /// The integration.
        integration: IntegrationId,
        /// The drill.
        drill: DrillId,
        /// When it ends by itself.
        until: Timestamp,
    },
    /// The deny of a drill ended before its time.
    #[serde(rename = "revoke.drill-lifted")]
    DrillLifted {
        /// The integration.
        integration: IntegrationId,
        /// The drill.
        drill: DrillId,
    },
    /// A drill ended.
    #[serde(rename = "revoke.drilled")]
    Drilled {
        /// The integration.
        integration: IntegrationId,
        /// The drill.
        drill: DrillId,
        /// What it came to.
        outcome: DrillOutcome,
        /// The slowest path.
        slowest: Period,
        /// Digest of its report.
        report: Digest,
        /// The run of checks that it was, where one was judged.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assessment: Option<AssessmentId>,
    },
}

impl What {
    /// The integration that it is about, where there is one.
    pub fn integration(&self) -> Option<&IntegrationId> {
        match self {
            Self::KeyEnrolled { .. }
            | Self::KeyRevoked { .. }
            | Self::GateEnrolled { .. }
            | Self::Adopted { .. } => None,
            Self::Submitted { integration, .. }
            | Self::Assessed { integration, .. }
            | Self::WaiverRequested { integration, .. }
            | Self::WaiverGranted { integration, .. }
            | Self::WaiverEnded { integration, .. }
            | Self::Decided { integration, .. }
            | Self::Planned { integration, .. }
            | Self::Certified { integration, .. }
            | Self::Renewed { integration, .. }
            | Self::Drifted { integration, .. }
            | Self::Settled { integration }
            | Self::CanariesKept { integration, .. }
            | Self::Swept { integration, .. }
            | Self::SweepsEnded { integration, .. }
            | Self::Withdrawn { integration, .. }
            | Self::PathMoved { integration, .. }
            | Self::ResumeAgreed { integration, .. }
            | Self::Restored { integration, .. }
            | Self::DestroyAgreed { integration, .. }
            | Self::Destroyed { integration, .. }
            | Self::DrillAnnounced { integration, .. }
            | Self::DrillDenied { integration, .. }
            | Self::DrillLifted { integration, .. }
            | Self::Drilled { integration, .. } => Some(integration),
        }
    }
}
