//! Step 7, monitor: what the platform holds and saw, against what was certified.
//!
//! Most differences ask for recertification. What the profile names in `suspend_on` suspends at once;
//! ending that takes two people.

use countersign_checks::platform::RaisedAlert;
use countersign_model::check::{EvidenceRef, Verdict};
use countersign_model::declare::Parsed;
use countersign_model::id::RevocationId;
use countersign_model::lifecycle::{State, status};
use countersign_model::registry::{CertificateRecord, Record};
use countersign_model::require::Catalogue;
use countersign_model::revoke::WithdrawalKind;
use countersign_model::time::Timestamp;

use super::drift;
use super::revoke::{WithdrawRequest, write_down};
use crate::app::{App, find};
use crate::problem::Problem;
use crate::snapshot::grace;

/// What a failing check is a sign of, in the words of `suspend_on`.
const SIGNS: [(&str, &str); 7] = [
    ("keeps_live_credentials_out_of_source", "secret-found"),
    ("keeps_secrets_out_of_source", "secret-found"),
    ("leaves_nothing_behind_when_offboarded", "offboarding-failed"),
    ("loses_no_log_line", "log-gap"),
    ("refuses_old_credential_after_rotation", "rotation-failed"),
    ("rotates_without_a_person", "rotation-failed"),
    ("stays_gone_after_offboarding", "offboarding-failed"),
];

/// What a failure of this check is a sign of.
pub(super) fn sign(check: &str) -> Option<&'static str> {
    SIGNS.iter().find(|it| it.0 == check).map(|it| it.1)
}

/// Looks at every certified integration once. How many events that made.
pub async fn look(app: &App) -> Result<usize, Problem> {
    let published = app.book.published();
    let mut made = 0;
    for record in published.registry.integrations.values() {
        match look_at(app, record).await {
            Ok(it) => made += it,
            // One that cannot be looked at stands in nobody else's way.
            Err(error) => tracing::warn!(integration = %record.slug, %error, "not looked at"),
        }
    }
    Ok(made)
}

async fn look_at(app: &App, record: &Record) -> Result<usize, Problem> {
    let Some(certificate) = &record.certificate else { return Ok(0) };
    let state = status(app.clock.now(), record, grace(record)).state;
    let (parsed, _) = app.book.manifest(record.submission.blob).await?;
    if matches!(state, State::Revoked | State::Suspended) {
        let seen = drift::while_withdrawn(app, record, certificate, &parsed).await?;
        let Some(seen) = seen else { return Ok(0) };
        return drift::write_down(app, record, certificate, seen).await;
    }
    let drifted = drift(app, record, certificate, &parsed).await?;
    // An outage of the platform is no misuse; the next look will see.
    let Ok(alerts) = app.world.alerts(&parsed.manifest).await else { return Ok(drifted) };
    let Some(alert) = misuse(record, certificate, &parsed, &alerts) else { return Ok(drifted) };
    let words = format!("{} at {}: {}", alert.client_id, alert.at, alert.signal);
    let suspended = suspend(app, record, "misuse", &words).await?;
    Ok(drifted + usize::from(suspended.is_some()))
}

/// Compares with the platform; how many events that made.
async fn drift(
    app: &App,
    record: &Record,
    certificate: &CertificateRecord,
    parsed: &Parsed,
) -> Result<usize, Problem> {
    let seen = drift::while_trusted(app, record, certificate, parsed).await?;
    let Some(seen) = seen else { return Ok(0) };
    let sign = seen.found.iter().find(|it| suspends(record, &it.trigger)).cloned();
    if drift::write_down(app, record, certificate, seen).await? == 0 {
        return Ok(0);
    }
    let Some(it) = sign else { return Ok(1) };
    let by = it.by.map(|by| format!(", by {by}")).unwrap_or_default();
    let words = format!("{}: {} -> {}{by}", it.place, it.before, it.after);
    Ok(1 + usize::from(suspend(app, record, &it.trigger, &words).await?.is_some()))
}

/// The first alert about one of its clients since trust was last given.
fn misuse<'a>(
    record: &Record,
    certificate: &CertificateRecord,
    parsed: &Parsed,
    alerts: &'a [RaisedAlert],
) -> Option<&'a RaisedAlert> {
    let ended = record.withdrawal.as_ref().and_then(|it| it.ended_at.or(it.until));
    let since: Timestamp = ended.map_or(certificate.at, |it| it.max(certificate.at));
    let mine = |it: &&RaisedAlert| {
        since < it.at
            && parsed.manifest.identities.iter().any(|one| one.client_id() == it.client_id)
    };
    alerts.iter().filter(mine).min_by_key(|it| it.at)
}

/// Whether the profile suspends at once on a trigger.
fn suspends(record: &Record, trigger: &str) -> bool {
    let profile = Catalogue::embedded().profile(record.submission.profile.as_str());
    profile.is_some_and(|it| it.suspend_on.contains(trigger))
}

/// Suspends by the profile's rule, where it has one for this trigger.
async fn suspend(
    app: &App,
    record: &Record,
    trigger: &str,
    words: &str,
) -> Result<Option<RevocationId>, Problem> {
    if !suspends(record, trigger) {
        return Ok(None);
    }
    let profile = &record.submission.profile;
    let request = WithdrawRequest {
        integration: record.id.to_string(),
        kind: WithdrawalKind::Suspend,
        period: None,
        reason: format!("{profile} suspends on {trigger}: {words}"),
        ticket: None,
    };
    let (revocation, busy) = write_down(app, None, &request).await?;
    drop(busy);
    tracing::warn!(integration = %record.slug, trigger, words, "suspended by the profile's rule");
    Ok(Some(revocation))
}

/// After a run of checks, or a later look: suspends where something that held when it was certified fails now, and the
/// profile suspends on what that is a sign of.
pub(super) async fn suspend_on_failure(
    app: &App,
    name: &str,
    evidence: &[EvidenceRef],
) -> Result<Option<RevocationId>, Problem> {
    let published = app.book.published();
    let record = find(&published.registry, name)?;
    let state = status(app.clock.now(), record, grace(record)).state;
    if record.failing.is_empty() || matches!(state, State::Revoked | State::Suspended) {
        return Ok(None);
    }
    for it in evidence.iter().filter(|it| it.judgement.verdict == Verdict::Fail && !it.kept) {
        let failing = it.controls.iter().any(|control| record.failing.contains_key(control));
        let sign = SIGNS.iter().find(|(check, _)| *check == it.check).filter(|_| failing);
        let Some((check, trigger)) = sign else { continue };
        let words = format!("{check} on {}: {}", it.subject, it.judgement.sentence);
        if let Some(revocation) = suspend(app, record, trigger, &words).await? {
            return Ok(Some(revocation));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_a_check_and_a_trigger_of_the_catalogue() {
        let catalogue = Catalogue::embedded();
        for (check, trigger) in SIGNS {
            assert!(catalogue.checks().contains(&check), "{check}");
            assert!(
                catalogue.reopened_by(trigger).contains(check) || trigger == "log-gap",
                "{trigger}"
            );
        }
    }
}
