//! What the production platform grants, as it is compared with what was certified.

use countersign_model::certify::{Baseline, Granted};
use countersign_model::declare::Parsed;
use countersign_model::declare::path::PathKind;
use countersign_model::registry::Record;
use countersign_seal::Digest;

use crate::app::App;
use crate::world::Unreachable;

/// What the platform grants now.
///
/// What a withdrawal cut, and what comes back with the trust, counts as granted: otherwise the way
/// back would certify something else than what it gives back.
pub(super) async fn now(
    app: &App,
    record: &Record,
    parsed: &Parsed,
    digest: Digest,
) -> Result<Baseline, Unreachable> {
    let mut seen = app.world.baseline(&parsed.manifest, digest).await?;
    if let Some(cut) = &record.cut {
        for path in &cut.paths {
            match path.kind {
                PathKind::TokenMint | PathKind::TokenUse => {
                    enable(&mut seen, parsed, &path.subject);
                }
                PathKind::CallIn => redirect(&mut seen, parsed, &path.subject),
                PathKind::EventOut => subscribe(&mut seen, parsed, &path.subject),
                PathKind::AssertionIn | PathKind::Automation => {}
            }
        }
    }
    Ok(seen)
}

fn enable(seen: &mut Baseline, parsed: &Parsed, subject: &str) {
    let identity = parsed.manifest.identities.iter().find(|it| it.id.as_str() == subject);
    if let Some(it) = identity.and_then(|it| seen.granted.get_mut(it.client_id())) {
        it.enabled = true;
    }
}

/// The address is given back to the clients that can use it.
fn redirect(seen: &mut Baseline, parsed: &Parsed, subject: &str) {
    let callback = parsed.manifest.callbacks.iter().find(|it| it.id.as_str() == subject);
    let Some(callback) = callback else { return };
    let tokens = parsed.manifest.paths().into_iter().filter(|it| it.kind == PathKind::TokenMint);
    let subjects: Vec<String> = tokens.map(|it| it.subject).collect();
    let mine = |it: &str| subjects.iter().any(|subject| subject == it);
    for identity in parsed.manifest.identities.iter().filter(|it| mine(it.id.as_str())) {
        if let Some(Granted { redirect_uris, .. }) = seen.granted.get_mut(identity.client_id()) {
            redirect_uris.insert(callback.url.to_string());
        }
    }
}

fn subscribe(seen: &mut Baseline, parsed: &Parsed, subject: &str) {
    let event = parsed.manifest.events.iter().find(|it| it.id.as_str() == subject);
    if let Some(event) = event {
        let types = event.types.iter().map(ToString::to_string).collect();
        seen.subscriptions.entry(subject.to_owned()).or_insert(types);
    }
}
