//! Two different people, over the same bytes.

use std::collections::BTreeSet;

use countersign_seal::Digest;
use countersign_seal::dsse::{DsseError, Envelope};
use countersign_seal::statement::Statement;

use super::decision::{DECISION_SCHEMA, DECISION_TYPE, Decision};
use crate::enforce::snapshot::Approver;
use crate::id::PersonId;
use crate::time::Timestamp;

/// How many people must agree.
pub const APPROVERS_MIN: usize = 2;

/// Proof that two different enrolled people signed one exact decision.
///
/// [`Approved::check`] is its only source. Server and gate both use it: the server before it
/// issues a certificate, the gate before it believes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an approval grants nothing until a certificate is issued from it"]
pub struct Approved {
    decision: Decision,
    manifest: Digest,
    people: BTreeSet<PersonId>,
}

/// Why an envelope is not an approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// The envelope or its signatures cannot be accepted.
    #[error("the decision's signatures do not verify")]
    Envelope(#[source] DsseError),
    /// Fewer than two enrolled people signed it.
    #[error("{people} of 2 people signed the decision")]
    TooFewPeople {
        /// How many did.
        people: usize,
    },
    /// The payload is not a decision.
    #[error("the signed statement is not a decision: {0}")]
    NotADecision(String),
    /// The requester or the partner is among the signers.
    #[error("the person who asked for it may not approve it")]
    RequesterApproved,
    /// The decision's own window is wrong.
    #[error("the decision ends before it begins")]
    EmptyWindow,
}

impl Approved {
    /// Checks an envelope against the enrolled approvers: their keys, counted by person.
    pub fn check(envelope: &Envelope, approvers: &[Approver]) -> Result<Self, QuorumError> {
        let keys: Vec<_> = approvers.iter().map(|it| it.key).collect();
        let verified = envelope.verify(&keys, 1).map_err(QuorumError::Envelope)?;
        if envelope.payload_type() != Decision::payload_type() {
            return Err(QuorumError::NotADecision("its payload type is another".to_owned()));
        }
        let people: BTreeSet<PersonId> = approvers
            .iter()
            .filter(|it| verified.signers.contains(&it.key))
            .map(|it| it.person.clone())
            .collect();
        if people.len() < APPROVERS_MIN {
            return Err(QuorumError::TooFewPeople { people: people.len() });
        }
        let (decision, manifest) = read(&verified.payload)?;
        if decision.not_after <= decision.not_before {
            return Err(QuorumError::EmptyWindow);
        }
        Ok(Self { decision, manifest, people })
    }

    /// The same, and neither signer is the requester.
    pub fn check_disjoint(
        envelope: &Envelope,
        approvers: &[Approver],
        requester: &PersonId,
    ) -> Result<Self, QuorumError> {
        let approved = Self::check(envelope, approvers)?;
        if approved.people.contains(requester) {
            return Err(QuorumError::RequesterApproved);
        }
        Ok(approved)
    }

    /// What was decided.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The manifest that it is about.
    pub fn manifest(&self) -> Digest {
        self.manifest
    }

    /// Who signed.
    pub fn people(&self) -> &BTreeSet<PersonId> {
        &self.people
    }

    /// Whether it counts at this moment.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.decision.not_before <= now && now < self.decision.not_after
    }
}

/// Reads a decision from statement bytes, without looking at signatures.
pub fn read(payload: &[u8]) -> Result<(Decision, Digest), QuorumError> {
    let statement: Statement<Decision> = Statement::parse(payload, DECISION_TYPE)
        .map_err(|it| QuorumError::NotADecision(it.to_string()))?;
    let wrong = |text: &str| Err(QuorumError::NotADecision(text.to_owned()));
    if statement.predicate.schema != DECISION_SCHEMA {
        return wrong("its schema is another");
    }
    let [subject] = statement.subject.as_slice() else {
        return wrong("it has not exactly one subject");
    };
    let manifest = subject.digest.sha256;
    Ok((statement.predicate, manifest))
}
