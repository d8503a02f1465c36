//! What a drill has changed, and how that is undone.

use std::time::Duration;

use countersign_model::declare::words::Slug;

use crate::platform::{ClientChange, Platform, PlatformError, Presence, SubscriptionChange};

/// How often undoing is tried.
const TRIES: u32 = 3;
/// How long one try may take.
const TRY_MAX: Duration = Duration::from_secs(5);
/// How long to wait before the next try.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// One thing to undo. It is noted down before the thing is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// A throw-away copy of a client goes.
    DeleteCopy(String),
    /// A throw-away copy of a webhook goes.
    DeleteWebhookCopy(Slug, String),
    /// A client may act again.
    EnableClient(String),
    /// A subscription is on again.
    EnableSubscription(Slug, String),
    /// A client's redirects are back.
    RestoreRedirects(String),
    /// A webhook's key is back.
    RestoreWebhookKey(Slug, String),
}

impl Undo {
    /// Undoes it, and tries again when that fails.
    pub async fn run(&self, platform: &dyn Platform) -> Result<(), String> {
        let mut last = String::new();
        for attempt in 0..TRIES {
            if 0 < attempt {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            match tokio::time::timeout(TRY_MAX, self.once(platform)).await {
                Ok(Ok(())) => return Ok(()),
                // It is gone already.
                Ok(Err(it)) if self.is_deletion() && it.is_unknown() => return Ok(()),
                Ok(Err(it)) => last = format!("{it}: {}", it.source),
                Err(_) => "no answer in time".clone_into(&mut last),
            }
        }
        Err(format!("{self:?}: {last}"))
    }

    fn is_deletion(&self) -> bool {
        matches!(self, Self::DeleteCopy(_) | Self::DeleteWebhookCopy(..))
    }

    async fn once(&self, platform: &dyn Platform) -> Result<(), PlatformError> {
        match self {
            Self::DeleteCopy(client) => platform.client(client, ClientChange::Delete).await,
            Self::DeleteWebhookCopy(integration, id) => {
                platform.delete_webhook(integration, id).await
            }
            Self::EnableClient(client) => platform.client(client, ClientChange::Enable).await,
            Self::EnableSubscription(integration, id) => {
                platform.subscription(integration, id, SubscriptionChange::Enable).await
            }
            Self::RestoreRedirects(client) => platform.redirects(client, Presence::Restore).await,
            Self::RestoreWebhookKey(integration, id) => {
                platform.webhook_key(integration, id, Presence::Restore).await
            }
        }
    }
}
