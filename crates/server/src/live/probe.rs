//! Proof that a path of production refuses, without a credential of the partner's.
//!
//! A refusal alone proves nothing: a broken platform refuses too. What counts is the reason of the
//! gate in front of the path, that trust is withdrawn, and beside it what the platform itself lists.
//! The token endpoint is tried by a throw-away copy of the client: a real call, with a key that
//! exists nowhere else.

use countersign_checks::platform::{Platform, TokenRequest};
use countersign_checks::undo::Undo;
use countersign_model::declare::Manifest;
use countersign_model::declare::path::{Path, PathKind};
use countersign_model::enforce::Reason;

use super::cut::{Door, client, door};
use super::unreachable;
use crate::world::Unreachable;

/// What a path answered, where that proves that it refuses.
pub(super) async fn probe(
    platform: &dyn Platform,
    manifest: &Manifest,
    path: &Path,
) -> Result<Option<String>, Unreachable> {
    let slug = &manifest.integration.id;
    let subject = subject(manifest, path);
    let knocked = platform.knock(slug, path.kind, &subject).await;
    let knocked = knocked.map_err(|it| unreachable(&it))?;
    let Some(reason) = knocked.reason.filter(|it| is_withdrawn(it)) else { return Ok(None) };
    let gate = format!("gate -> {} {reason}", knocked.status);
    match door(manifest, path) {
        Door::Client(client) if path.kind == PathKind::TokenMint => {
            let Some(minted) = mint(platform, &client).await? else { return Ok(None) };
            Ok(Some(format!("{minted}, {}", state(platform, manifest, &client).await?)))
        }
        Door::Client(client) => {
            Ok(Some(format!("{gate}, {}", state(platform, manifest, &client).await?)))
        }
        Door::Subscription(id) => {
            let silent = silence(platform, manifest, &id).await?;
            Ok(silent.map(|it| format!("{gate}, {it}")))
        }
        Door::Gate | Door::Redirects(_) | Door::Webhook(_) => Ok(Some(gate)),
    }
}

/// The reason of the gate in front of a path, where it refuses.
pub(super) async fn knock(
    platform: &dyn Platform,
    manifest: &Manifest,
    path: &Path,
) -> Result<Option<String>, Unreachable> {
    let subject = subject(manifest, path);
    let knocked = platform.knock(&manifest.integration.id, path.kind, &subject).await;
    Ok(knocked.map_err(|it| unreachable(&it))?.reason)
}

/// What a platform knows the subject of a path by.
fn subject(manifest: &Manifest, path: &Path) -> String {
    match path.kind {
        PathKind::TokenMint | PathKind::TokenUse => client(manifest, &path.subject),
        _ => path.subject.clone(),
    }
}

/// The reasons that say that trust is withdrawn, or was never given. A gate that is stale, or does
/// not like the question, may answer otherwise the next time.
fn is_withdrawn(reason: &str) -> bool {
    [Reason::Revoked, Reason::Suspended, Reason::Uncertified].iter().any(|it| it.code() == reason)
}

/// A throw-away copy of the client asks for a token.
async fn mint(platform: &dyn Platform, client: &str) -> Result<Option<String>, Unreachable> {
    let copy = match platform.copy_client(client).await {
        Ok(it) => it,
        Err(it) if it.is_unknown() => return Ok(Some("no such client".to_owned())),
        Err(it) => return Err(unreachable(&it)),
    };
    let answer = platform.request_token(&copy, &TokenRequest::default()).await;
    if let Err(error) = Undo::DeleteCopy(copy.client_id.clone()).run(platform).await {
        tracing::warn!(copy = copy.client_id, error, "a copy could not be deleted");
    }
    let answer = answer.map_err(|it| unreachable(&it))?;
    let reason = answer.reason.as_deref().filter(|it| is_withdrawn(it));
    Ok(match (answer.access_token, reason) {
        (None, Some(reason)) => {
            let error = answer.error.unwrap_or_default();
            Some(format!("copy asks for a token -> {error} ({reason})"))
        }
        _ => None,
    })
}

/// What the platform lists about a client.
async fn state(
    platform: &dyn Platform,
    manifest: &Manifest,
    client: &str,
) -> Result<&'static str, Unreachable> {
    let held = platform.granted(manifest).await.map_err(|it| unreachable(&it))?;
    Ok(match held.granted.get(client) {
        None => "client unknown there",
        Some(it) if it.enabled => "client still enabled",
        Some(_) => "client disabled",
    })
}

/// What the platform lists about a subscription, where nothing can leave over it.
async fn silence(
    platform: &dyn Platform,
    manifest: &Manifest,
    id: &str,
) -> Result<Option<String>, Unreachable> {
    let held = platform.granted(manifest).await.map_err(|it| unreachable(&it))?;
    let declared = |it: &str| manifest.events.iter().any(|event| event.id.as_str() == it);
    let mine = || held.subscriptions.iter().filter(|it| it.id == id || !declared(&it.id));
    let words = if mine().next().is_none() {
        "subscription unknown there"
    } else {
        "subscription disabled, queue empty"
    };
    let all_quiet = mine().all(|it| !it.enabled && it.queued == 0);
    Ok(all_quiet.then(|| words.to_owned()))
}
