//! The state of an integration: computed, never stored.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::outcome::Outcome;
use crate::enforce::snapshot::Standing;
use crate::registry::Record;
use crate::require::requirement::Level;
use crate::revoke::withdrawal::WithdrawalKind;
use crate::time::{Period, Timestamp};

/// The state of an integration.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Submitted, and no run of checks has ended.
    Submitted,
    /// A run ended with something required that does not hold.
    Checking,
    /// Only time is missing.
    Observing,
    /// People have to decide.
    InReview,
    /// Trusted.
    Certified,
    /// Trusted, with waivers.
    Conditional,
    /// Trusted for the rest of its grace: something asks for recertification.
    Due,
    /// Its time has run out.
    Lapsed,
    /// Trust is withdrawn for a time.
    Suspended,
    /// Trust is withdrawn for good.
    Revoked,
}

impl State {
    /// The word: `in-review`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Checking => "checking",
            Self::Observing => "observing",
            Self::InReview => "in-review",
            Self::Certified => "certified",
            Self::Conditional => "conditional",
            Self::Due => "due",
            Self::Lapsed => "lapsed",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }
}

/// The state of an integration at a moment, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The state.
    pub state: State,
    /// Why, as codes: `evidence-stale`, `scope-added`.
    pub reasons: Vec<String>,
    /// Until when a gate admits, exclusively; none when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admits_until: Option<Timestamp>,
}

/// Computes the state of an integration at a moment.
///
/// Whatever cannot be computed is not certified. `grace` is the profile's: how long a certified
/// integration goes on after something asked for recertification.
pub fn status(now: Timestamp, record: &Record, grace: Period) -> Status {
    let not = |state, reasons: Vec<String>| Status { state, reasons, admits_until: None };
    if let Some(withdrawal) = record.withdrawal.as_ref().filter(|it| !it.ended) {
        match withdrawal.kind {
            WithdrawalKind::Revoke => return not(State::Revoked, vec!["revoked".to_owned()]),
            WithdrawalKind::Suspend if withdrawal.until.is_none_or(|it| now < it) => {
                return not(State::Suspended, vec!["suspended".to_owned()]);
            }
            WithdrawalKind::Suspend => {}
        }
    }
    match &record.certificate {
        Some(certificate) if !certificate.revoked => certified(now, record, grace),
        _ => pending(now, record),
    }
}

fn certified(now: Timestamp, record: &Record, grace: Period) -> Status {
    let Some(certificate) = &record.certificate else { return pending(now, record) };
    if certificate.approver_lost.is_some() {
        let reasons = vec!["approver-key-revoked".to_owned()];
        return Status { state: State::Lapsed, reasons, admits_until: None };
    }
    let was_suspended = record.withdrawal.is_some();
    let required = || certificate.outcomes.iter().filter(|it| it.level == Level::Required);
    let stale_from = required().filter_map(|it| record.fresh_until(it)).min();
    let waiver_end = certificate
        .outcomes
        .iter()
        .filter_map(|it| it.waiver.as_ref())
        .filter_map(|it| record.waivers.get(it))
        .map(|it| it.ended.map_or(it.until, |ended| ended.min(it.until)))
        .min();
    let ends = [Some(certificate.not_after), Some(certificate.signature_ends), waiver_end];
    let end = ends.into_iter().flatten().min().unwrap_or(now);
    if end <= now {
        let why = if waiver_end == Some(end) { "waiver-ended" } else { "expired" };
        return Status { state: State::Lapsed, reasons: vec![why.to_owned()], admits_until: None };
    }
    let stale = stale_from.filter(|it| *it <= now);
    let failed = record.failing.values().min().copied();
    let unswept = record.unswept(certificate.manifest, &certificate.outcomes);
    let missing = unswept.filter(|it| it.since <= now);
    let since = [record.due_since, stale, failed, missing.map(|it| it.since)];
    let due_since = since.into_iter().flatten().min();
    if let Some(since) = due_since {
        let mut reasons: Vec<String> = record.triggers.iter().cloned().collect();
        reasons.extend(record.failing.keys().cloned());
        if stale.is_some() {
            reasons.push("evidence-stale".to_owned());
        }
        reasons.extend(missing.map(|it| it.reason.to_owned()));
        let grace_end = since + grace;
        // A suspension that ran out admits only with fresh evidence and no open trigger.
        if grace_end <= now || was_suspended {
            return Status { state: State::Lapsed, reasons, admits_until: None };
        }
        return Status { state: State::Due, reasons, admits_until: Some(end.min(grace_end)) };
    }
    // Who hears nothing from here goes on no longer than somebody who does.
    let asks_from = [stale_from, unswept.map(|it| it.since)].into_iter().flatten().min();
    let until = asks_from.map_or(end, |it| end.min(it + grace));
    let waived = certificate.outcomes.iter().any(|it| it.outcome == Outcome::Waived);
    let state = if waived { State::Conditional } else { State::Certified };
    Status { state, reasons: Vec::new(), admits_until: Some(until) }
}

fn pending(now: Timestamp, record: &Record) -> Status {
    let blocking = record.assessment.as_ref().map(|assessment| {
        let blocking = assessment.outcomes.iter().filter(|it| it.blocks());
        blocking.map(|it| (it.control.clone(), it.outcome)).collect::<Vec<_>>()
    });
    let (state, reasons) = match blocking {
        None => (State::Submitted, Vec::new()),
        Some(it) if it.is_empty() => match record.swept_away(now) {
            codes if codes.is_empty() => (State::InReview, codes),
            codes => (State::Checking, codes),
        },
        Some(it) => {
            let waits = it.iter().all(|(_, outcome)| *outcome == Outcome::Waiting);
            let state = if waits { State::Observing } else { State::Checking };
            (state, it.into_iter().map(|(control, _)| control).collect())
        }
    };
    Status { state, reasons, admits_until: None }
}

/// What a gate is told.
pub fn standing(now: Timestamp, record: &Record, grace: Period) -> Standing {
    let status = status(now, record, grace);
    match (status.state, status.admits_until) {
        (State::Revoked, _) => Standing::Revoked,
        (State::Suspended, _) => {
            Standing::Suspended { until: record.withdrawal.as_ref().and_then(|it| it.until) }
        }
        (_, Some(until)) => Standing::Good { until },
        (_, None) => Standing::Lapsed,
    }
}
