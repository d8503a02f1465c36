//! Step 7, monitor: what the platform holds now, against what was certified.

use countersign_model::certify::Baseline;
use countersign_model::event::What;
use countersign_model::lifecycle::{State, status};
use countersign_model::monitor::drift::drifts;

use crate::app::App;
use crate::book::{BookError, Draft};
use crate::problem::Problem;
use crate::snapshot::grace;

/// Compares every certified integration with the platform once. How many events that made.
pub async fn look(app: &App) -> Result<usize, Problem> {
    let published = app.book.published();
    let mut made = 0;
    for record in published.registry.integrations.values() {
        let Some(certificate) = &record.certificate else { continue };
        let now = app.clock.now();
        let state = status(now, record, grace(record)).state;
        if matches!(state, State::Revoked | State::Suspended) {
            continue;
        }
        let (parsed, _) = app.book.manifest(record.submission.blob).await?;
        let certified: Baseline = app.book.document(certificate.baseline).await?;
        // An outage of the platform is not a drift; the next look will see.
        let Ok(seen) = app.world.baseline(&parsed.manifest, certificate.manifest).await else {
            tracing::warn!(integration = %record.slug, "the platform did not answer");
            continue;
        };
        let found = drifts(&certified, &seen);
        if found == record.drifts {
            continue;
        }
        let mut writer = app.book.write().await?;
        let same = writer.registry().integrations.get(&record.id).is_some_and(|it| {
            it.certificate.as_ref().map(|it| &it.id) == Some(&certificate.id)
                && it.drifts == record.drifts
                && it.withdrawal == record.withdrawal
        });
        if !same {
            continue;
        }
        let mut draft = Draft::default();
        let integration = record.id.clone();
        let what = if found.is_empty() {
            What::Settled { integration }
        } else {
            let baseline = seen.digest().map_err(BookError::from)?;
            draft.document(&seen)?;
            What::Drifted { integration, baseline, drifts: found }
        };
        draft.event(now, None, what);
        writer.commit(draft, now).await?;
        made += 1;
    }
    Ok(made)
}
