//! What the connector changes at a client: always a part of it, so that nothing else is written back.

use std::time::Duration;

use countersign_model::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::KeycloakPlatform;
use super::account::Who;
use super::client::{Client, Way};
use super::fault::{Role, parsed, unreadable};
use crate::platform::{ClientChange, PlatformFault, Presence, Renewed};

/// Where redirects are kept while they are taken away.
const REDIRECTS: &str = "countersign.redirects";

type Done<T> = Result<T, PlatformFault>;

#[derive(Deserialize)]
struct Secret {
    value: Option<String>,
}

impl KeycloakPlatform {
    async fn put(&self, client: &Client, mut part: Value) -> Done<()> {
        // The id alone writes nothing; but the server forgets the keys that it had read for the client.
        part["clientId"] = json!(client.client_id);
        let path = ["clients", client.id.as_str()];
        self.wire.administer(("PUT", &path), &[], Some(&part), Role::ManageClients).await.map(drop)
    }

    pub(super) async fn change(&self, client: &str, change: ClientChange) -> Done<()> {
        if change == ClientChange::Delete {
            return self.delete(client).await;
        }
        let known = self.known(client).await?;
        match change {
            ClientChange::Delete => Ok(()),
            ClientChange::Disable => self.put(&known, json!({ "enabled": false })).await,
            ClientChange::Enable => self.put(&known, json!({ "enabled": true })).await,
            ClientChange::RevokeTokens => self.end_tokens(&known).await,
        }
    }

    /// Whoever tries again finds it unknown, which is what was wanted.
    async fn delete(&self, client: &str) -> Done<()> {
        let known = self.known(client).await?;
        let path = ["clients", known.id.as_str()];
        self.wire.administer(("DELETE", &path), &[], None, Role::ManageClients).await.map(drop)
    }

    /// Tokens, refresh and offline tokens that were issued before a moment are refused. The moment is
    /// a whole second, and what was issued in it lives: so it is the next one, and is waited for.
    async fn end_tokens(&self, client: &Client) -> Done<()> {
        let ahead_ms = self.wire.ahead_seconds(Who::Killer).await? * 1_000;
        let now_ms = self.wire.clock().now().millis();
        let moment = (now_ms + ahead_ms.max(0)) / 1_000 + 1;
        self.put(client, json!({ "notBefore": moment })).await?;
        let left = moment * 1_000 - ahead_ms - self.wire.clock().now().millis();
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
        tokio::time::sleep(left.min(Duration::from_secs(3))).await;
        Ok(())
    }

    pub(super) async fn change_redirects(&self, client: &str, change: Presence) -> Done<()> {
        let known = self.known(client).await?;
        let kept = known.attribute(REDIRECTS);
        match (change, kept) {
            (Presence::Remove, None) => {
                let kept = json!(known.redirect_uris).to_string();
                let part = json!({ "redirectUris": [], "attributes": { REDIRECTS: kept } });
                self.put(&known, part).await
            }
            // Taken away before: what was there then stays kept, and what came since goes.
            (Presence::Remove, Some(_)) => self.put(&known, json!({ "redirectUris": [] })).await,
            (Presence::Restore, Some(kept)) => {
                let uris: Vec<String> =
                    serde_json::from_str(kept).map_err(|it| unreadable(it.to_string()))?;
                let part = json!({ "redirectUris": uris, "attributes": { REDIRECTS: "" } });
                self.put(&known, part).await
            }
            (Presence::Restore, None) => Ok(()),
        }
    }

    pub(super) async fn new_secret(&self, client: &str) -> Done<Renewed> {
        let known = self.known(client).await?;
        if !matches!(known.way(), Way::Secret | Way::SecretKey) {
            return Err(PlatformFault::Lacking(format!(
                "`{client}` does not prove itself with a secret: replace its keys"
            )));
        }
        let path = ["clients", known.id.as_str(), "client-secret"];
        let raw = self.wire.administer(("POST", &path), &[], None, Role::ManageClients).await?;
        let secret = parsed::<Secret>(&raw)?.value.filter(|it| !it.is_empty());
        let secret = secret.map(Zeroizing::new);
        let secret = secret.ok_or_else(|| unreadable("it names no new secret"))?;
        let after = self.known(client).await?;
        let old = after.credentials().into_iter().find(|it| it.id == "rotated-secret");
        Ok(Renewed { secret, old_until: old.and_then(|it| it.expires) })
    }

    pub(super) async fn end_rotated_secret(&self, client: &str) -> Done<()> {
        let known = self.known(client).await?;
        let path = ["clients", known.id.as_str(), "client-secret", "rotated"];
        let done = self.wire.administer(("DELETE", &path), &[], None, Role::ManageClients).await;
        match done {
            Ok(_) | Err(PlatformFault::Refused { status: 404, .. }) => Ok(()),
            Err(it) => Err(it),
        }
    }

    /// Where the keys are behind an address, the server is made to read them again: it would go on
    /// accepting keys that left.
    pub(super) async fn put_keys(&self, client: &str, keys: &Value) -> Done<()> {
        let known = self.known(client).await?;
        if known.way() != Way::Key {
            return Err(PlatformFault::Lacking(format!(
                "`{client}` does not prove itself with keys: set its client authenticator to `Signed Jwt`"
            )));
        }
        if known.attribute("use.jwks.url") == Some("true") {
            return self.put(&known, json!({})).await;
        }
        let attributes = json!({ "use.jwks.string": "true", "jwks.string": keys.to_string() });
        self.put(&known, json!({ "attributes": attributes })).await
    }
}

/// When something happened, a little before which the server's own clock may say it did.
pub(super) fn shortly_before(now: Timestamp, ahead_seconds: i64) -> Timestamp {
    Timestamp::from_millis(now.millis() + ahead_seconds * 1_000 - 2_000)
}
