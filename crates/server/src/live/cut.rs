//! Cutting paths at the production platform, giving them back, and destroying what is left.

use countersign_checks::platform::{
    ClientChange, Platform, PlatformError, Presence, SubscriptionChange,
};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Identity, IdentityKind};
use countersign_model::declare::path::{Path, PathKind};

use super::unreachable;
use crate::world::Unreachable;

/// Cuts one path; what the platform says about it.
pub(super) async fn cut(
    platform: &dyn Platform,
    manifest: &Manifest,
    path: &Path,
) -> Result<String, Unreachable> {
    let slug = &manifest.integration.id;
    match door(manifest, path) {
        Door::Client(client) => {
            let done = async {
                platform.client(&client, ClientChange::Disable).await?;
                platform.client(&client, ClientChange::RevokeTokens).await
            };
            said(done.await, format!("{client} disabled, its tokens revoked"))
        }
        Door::Subscription(id) => {
            let held = platform.granted(manifest).await.map_err(|it| unreachable(&it))?;
            let declared = |it: &str| manifest.events.iter().any(|event| event.id.as_str() == it);
            // Whatever nobody declared receives in somebody's name: it goes with every subscription.
            let others = held.subscriptions.iter().map(|it| it.id.as_str());
            let mut cut = 0_u32;
            for each in others.filter(|it| *it == id || !declared(it)) {
                for change in [SubscriptionChange::Disable, SubscriptionChange::Purge] {
                    let done = platform.subscription(slug, each, change).await;
                    done.map_err(|it| unreachable(&it))?;
                }
                cut += 1;
            }
            Ok(format!("{cut} subscriptions disabled, their queues purged"))
        }
        Door::Webhook(id) => {
            let done = platform.webhook_key(slug, &id, Presence::Remove).await;
            said(done, "webhook key removed".to_owned())
        }
        Door::Redirects(clients) => {
            for client in &clients {
                said(platform.redirects(client, Presence::Remove).await, String::new())?;
            }
            Ok(format!("redirects of {} removed", clients.join(", ")))
        }
        Door::Gate => Ok("nothing to cut beside the gate".to_owned()),
    }
}

/// Gives back what [`cut`] took. Dead tokens stay dead.
pub(super) async fn restore(
    platform: &dyn Platform,
    manifest: &Manifest,
    path: &Path,
) -> Result<String, Unreachable> {
    let slug = &manifest.integration.id;
    match door(manifest, path) {
        Door::Client(client) => {
            let done = platform.client(&client, ClientChange::Enable).await;
            said(done, format!("{client} enabled"))
        }
        Door::Subscription(id) => {
            let done = platform.subscription(slug, &id, SubscriptionChange::Enable).await;
            said(done, "subscription enabled".to_owned())
        }
        Door::Webhook(id) => {
            let done = platform.webhook_key(slug, &id, Presence::Restore).await;
            said(done, "webhook key given back".to_owned())
        }
        Door::Redirects(clients) => {
            for client in &clients {
                said(platform.redirects(client, Presence::Restore).await, String::new())?;
            }
            Ok(format!("redirects of {} given back", clients.join(", ")))
        }
        Door::Gate => Ok("nothing was cut beside the gate".to_owned()),
    }
}

/// Deletes every client, takes away every key, empties every subscription. What is gone already
/// counts no second time.
pub(super) async fn destroy(
    platform: &dyn Platform,
    manifest: &Manifest,
) -> Result<u32, Unreachable> {
    let slug = &manifest.integration.id;
    let held = platform.granted(manifest).await.map_err(|it| unreachable(&it))?;
    let mut destroyed = 0;
    for subscription in &held.subscriptions {
        for change in [SubscriptionChange::Disable, SubscriptionChange::Purge] {
            let done = platform.subscription(slug, &subscription.id, change).await;
            done.map_err(|it| unreachable(&it))?;
        }
        destroyed += 1;
    }
    for webhook in &manifest.webhooks {
        let gone = platform.webhook_key(slug, webhook.id.as_str(), Presence::Remove).await;
        destroyed += u32::from(was_there(gone)?);
    }
    // Clients come last: while one is left, what is not done yet can be seen.
    for client in held.granted.keys().chain(&held.undeclared) {
        destroyed += u32::from(was_there(platform.client(client, ClientChange::Delete).await)?);
    }
    Ok(destroyed)
}

/// What stands in the way of a path at the platform.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// A client, by its id.
    Client(String),
    /// Nothing but the gate.
    Gate,
    /// The redirects of these clients.
    Redirects(Vec<String>),
    /// A subscription.
    Subscription(String),
    /// A webhook's key.
    Webhook(String),
}

pub(super) fn door(manifest: &Manifest, path: &Path) -> Door {
    let subject = path.subject.as_str();
    match path.kind {
        PathKind::TokenMint | PathKind::TokenUse => Door::Client(client(manifest, subject)),
        PathKind::EventOut => Door::Subscription(subject.to_owned()),
        PathKind::CallIn if manifest.webhooks.iter().any(|it| it.id.as_str() == subject) => {
            Door::Webhook(subject.to_owned())
        }
        PathKind::CallIn => {
            let with_redirects = |it: &&Identity| {
                matches!(it.kind, IdentityKind::OauthClient | IdentityKind::ServiceAccount)
            };
            let clients = manifest.identities.iter().filter(with_redirects);
            Door::Redirects(clients.map(|it| it.client_id().to_owned()).collect())
        }
        PathKind::AssertionIn | PathKind::Automation => Door::Gate,
    }
}

/// The client of an identity; one that the manifest no longer declares has the id's own name.
pub(super) fn client(manifest: &Manifest, subject: &str) -> String {
    let declared = manifest.identities.iter().find(|it| it.id.as_str() == subject);
    let own = || subject.split_once(':').map_or(subject, |(_, name)| name).to_owned();
    declared.map_or_else(own, |it| it.client_id().to_owned())
}

fn said(done: Result<(), PlatformError>, words: String) -> Result<String, Unreachable> {
    match done {
        Ok(()) => Ok(words),
        Err(error) if error.is_unknown() => Ok("the platform knows no such thing".to_owned()),
        Err(error) => Err(unreachable(&error)),
    }
}

fn was_there(done: Result<(), PlatformError>) -> Result<bool, Unreachable> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.is_unknown() => Ok(false),
        Err(error) => Err(unreachable(&error)),
    }
}
