//! Step 7, monitor: what the platform grants now, against what was certified, and who changed it.

use countersign_checks::platform::AdminRecord;
use countersign_model::certify::Baseline;
use countersign_model::declare::Parsed;
use countersign_model::declare::path::PathKind;
use countersign_model::event::What;
use countersign_model::monitor::Drift;
use countersign_model::monitor::drift::drifts;
use countersign_model::registry::{CertificateRecord, Record};
use countersign_model::revoke::withdrawal::PathState;
use countersign_model::time::Period;

use crate::app::App;
use crate::book::{BookError, Draft};
use crate::problem::Problem;

/// How long after a difference was seen its author is still looked for: records may come later than
/// what they tell of.
const AUTHOR_AFTER: Period = Period::from_seconds(600);
/// The trigger of a client that can act again.
const ENABLED: &str = "client-enabled";

/// What differs now, where that is another thing than before; how it was certified and how it is.
pub(super) struct Seen {
    /// The differences.
    pub(super) found: Vec<Drift>,
    now: Baseline,
}

/// What differs from what was certified while trust stands. None where the platform does not answer.
pub(super) async fn while_trusted(
    app: &App,
    record: &Record,
    certificate: &CertificateRecord,
    parsed: &Parsed,
) -> Result<Option<Seen>, Problem> {
    let certified: Baseline = app.book.document(certificate.baseline).await?;
    let seen = super::granted::now(app, record, parsed, certificate.manifest).await;
    let Some(now) = answered(record, seen) else { return Ok(None) };
    let found = drifts(&certified, &now);
    Ok(Some(Seen { found: attributed(app, record, certificate, found).await, now }))
}

/// Clients that a withdrawal disabled, with proof, and that are enabled again. What else differed
/// before stays told; the withdrawal itself took some of it away.
pub(super) async fn while_withdrawn(
    app: &App,
    record: &Record,
    certificate: &CertificateRecord,
    parsed: &Parsed,
) -> Result<Option<Seen>, Problem> {
    let Some(withdrawal) = &record.withdrawal else { return Ok(None) };
    let seen = app.world.baseline(&parsed.manifest, certificate.manifest).await;
    let Some(now) = answered(record, seen) else { return Ok(None) };
    let mut expected = now.clone();
    for receipt in withdrawal.receipts.values() {
        let is_client = matches!(receipt.path.kind, PathKind::TokenMint | PathKind::TokenUse);
        if !is_client || receipt.state != PathState::Proven {
            continue;
        }
        let mine = |id: &str| id == receipt.path.subject;
        let identity = parsed.manifest.identities.iter().find(|it| mine(it.id.as_str()));
        if let Some(it) = identity.and_then(|it| expected.granted.get_mut(it.client_id())) {
            it.enabled = false;
        }
    }
    let before = record.drifts.iter().filter(|it| it.trigger != ENABLED).cloned();
    let mut found: Vec<Drift> = before.chain(drifts(&expected, &now)).collect();
    found.sort();
    Ok(Some(Seen { found: attributed(app, record, certificate, found).await, now }))
}

/// An outage of the platform is not a drift; the next look will see.
fn answered<T, E>(record: &Record, seen: Result<T, E>) -> Option<T> {
    if seen.is_err() {
        tracing::warn!(integration = %record.slug, "the platform did not answer");
    }
    seen.ok()
}

/// Writes down what differs; how many events that made.
pub(super) async fn write_down(
    app: &App,
    record: &Record,
    certificate: &CertificateRecord,
    seen: Seen,
) -> Result<usize, Problem> {
    if seen.found == record.drifts {
        return Ok(0);
    }
    let now = app.clock.now();
    let mut writer = app.book.write().await?;
    let same = writer.registry().integrations.get(&record.id).is_some_and(|it| {
        it.certificate.as_ref().map(|it| &it.id) == Some(&certificate.id)
            && it.drifts == record.drifts
            && it.withdrawal == record.withdrawal
            && it.cut == record.cut
    });
    if !same {
        return Ok(0);
    }
    let mut draft = Draft::default();
    let integration = record.id.clone();
    let what = if seen.found.is_empty() {
        What::Settled { integration }
    } else {
        let baseline = seen.now.digest().map_err(BookError::from)?;
        draft.document(&seen.now)?;
        What::Drifted { integration, baseline, drifts: seen.found }
    };
    draft.event(now, None, what);
    writer.commit(draft, now).await?;
    Ok(1)
}

/// The same differences, each with who made it and when, where the platform tells.
async fn attributed(
    app: &App,
    record: &Record,
    certificate: &CertificateRecord,
    mut found: Vec<Drift>,
) -> Vec<Drift> {
    for it in &mut found {
        if let Some(known) = record.drifts.iter().find(|known| known.is_same(it)) {
            (it.by, it.at) = (known.by.clone(), known.at);
        }
    }
    let now = app.clock.now();
    let is_late = record.due_since.is_some_and(|it| it + AUTHOR_AFTER < now);
    let is_known = |it: &Drift| record.drifts.iter().any(|known| known.is_same(it));
    if !found.iter().any(|it| it.by.is_none() && !(is_late && is_known(it))) {
        return found;
    }
    match app.world.admin_log(certificate.at).await {
        Ok(log) => name_authors(&mut found, &log),
        // A difference without its author is told all the same.
        Err(error) => tracing::debug!(integration = %record.slug, %error, "no author is known"),
    }
    found
}

/// Names the newest change of the thing that differs. A difference that has its author keeps it.
fn name_authors(found: &mut [Drift], log: &[AdminRecord]) {
    for it in found.iter_mut().filter(|it| it.by.is_none()) {
        let subject = it.subject();
        let mine = log.iter().filter(|record| {
            record.client_id.as_deref() == Some(subject) || record.resource == subject
        });
        if let Some(record) = mine.max_by_key(|record| record.time) {
            (it.by, it.at) = (Some(record.actor.clone()), Some(record.time));
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::time::Timestamp;

    use super::*;

    #[test]
    fn a_difference_has_the_newest_author_of_its_own_client() {
        let line = |time: i64, actor: &str, client: Option<&str>, resource: &str| AdminRecord {
            time: Timestamp::from_seconds(time),
            actor: actor.to_owned(),
            ip: None,
            action: "UPDATE".to_owned(),
            resource: resource.to_owned(),
            client_id: client.map(str::to_owned),
        };
        let log = [
            line(3, "dana", Some("acme"), "clients/17"),
            line(1, "erik", Some("acme"), "clients/17"),
            line(4, "fred", Some("other"), "clients/18"),
            line(5, "gita", None, "sub:users"),
        ];
        let drift = |place: &str, by: Option<&str>| Drift {
            trigger: "scope-added".to_owned(),
            place: place.to_owned(),
            before: String::new(),
            after: "x".to_owned(),
            by: by.map(str::to_owned),
            at: None,
        };
        let table = [
            (drift("acme: scope", None), Some("dana")),
            (drift("acme: scope", Some("erik")), Some("erik")),
            (drift("sub:users: event", None), Some("gita")),
            (drift("third: scope", None), None),
        ];
        for (mut it, expected) in table {
            name_authors(std::slice::from_mut(&mut it), &log);
            assert_eq!(it.by.as_deref(), expected, "{}", it.place);
        }
    }
}
