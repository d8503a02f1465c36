//! The connector to one realm of Keycloak 26, by its admin REST API.
//!
//! It has two accounts: service accounts of two clients of the same realm. The one that reads has the
//! roles `view-clients`, `view-events`, `view-realm` and `view-users` of `realm-management`; the one
//! that kills has `manage-clients`. Each is needed, and none suffices for what another is there for.
//!
//! Source: Keycloak 26, admin REST API; Server Administration Guide, "Auditing", "Client policies".

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_model::certify::baseline::Granted;
use countersign_model::declare::Manifest;
use countersign_model::declare::words::Slug;
use countersign_model::time::Timestamp;
use serde_json::Value;

use super::{
    Ability, Accepted, AdminAct, AdminRecord, Answer, ClientChange, ClientCopy, CopyTerms, Held,
    Inventory, Platform, PlatformError, PlatformFault, Presence, Reach, Renewed, TokenAnswer,
    TokenRequest,
};
use crate::live::clock::Clock;
use account::Who;
use wire::Wire;

mod abilities;
mod account;
mod change;
mod client;
mod copy;
mod fault;
mod log;
mod read;
mod service;
mod settings;
mod tokens;
mod wire;

pub use account::{Account, Proof};

/// Where a realm is, and what opens it.
#[derive(Debug, Clone)]
pub struct KeycloakSettings {
    /// The realm's address, which is its issuer too: `https://id.example.com/realms/partners`.
    pub url: String,
    /// Where its administration is, if not at the same host: `https://admin.id.example.com`.
    pub admin_url: Option<String>,
    /// Other hosts of its own.
    pub hosts: BTreeSet<String>,
    /// Who reads.
    pub reader: Account,
    /// Who kills.
    pub killer: Account,
    /// Names with an address of our own choice.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// Certificates (PEM) of the authorities that vouch for it; public ones when none.
    pub ca: Option<Vec<u8>>,
    /// How long one request may take.
    pub limit: Duration,
}

/// A realm of Keycloak.
#[derive(Debug)]
pub struct KeycloakPlatform {
    wire: Wire,
}

type Done<T> = Result<T, PlatformError>;

fn wrap(action: impl Into<String>) -> impl FnOnce(PlatformFault) -> PlatformError {
    let action = action.into();
    move |source| PlatformError { action, source }
}

impl KeycloakPlatform {
    /// A connector with these settings. It asks nobody yet.
    pub fn new(settings: KeycloakSettings, clock: Arc<dyn Clock>) -> Done<Self> {
        let wire = Wire::new(settings, clock).map_err(wrap("be set up"))?;
        Ok(Self { wire })
    }

    fn reader_id(&self) -> &str {
        &self.wire.session(Who::Reader).account.client_id
    }
}

#[async_trait]
impl Platform for KeycloakPlatform {
    fn issuer(&self) -> &str {
        self.wire.issuer()
    }

    fn token_endpoint(&self) -> String {
        self.wire.endpoint("token")
    }

    fn reach(&self) -> Option<Reach> {
        Some(self.wire.reach())
    }

    fn abilities(&self) -> Vec<Ability> {
        abilities::abilities()
    }

    async fn inventory(&self) -> Done<Inventory> {
        self.listed().await.map_err(wrap("list every client"))
    }

    async fn admin_log(&self, since: Timestamp) -> Done<Vec<AdminRecord>> {
        self.admin_records(since).await.map_err(wrap("read who changed what"))
    }

    async fn granted(&self, manifest: &Manifest) -> Done<Held> {
        let action = format!("read what {} holds", manifest.integration.id);
        self.held(manifest).await.map_err(wrap(action))
    }

    async fn registration(&self, client: &str) -> Done<Option<Granted>> {
        let granted = self.registered(client).await;
        granted.map_err(wrap(format!("read what is granted to {client}")))
    }

    async fn scopes(&self) -> Done<BTreeMap<String, BTreeSet<String>>> {
        self.known_scopes().await.map_err(wrap("list its scopes"))
    }

    async fn token_log(&self, client: &str, since: Timestamp) -> Done<Vec<u8>> {
        let lines = self.token_lines(client, since).await;
        lines.map_err(wrap(format!("read the token requests of {client}")))
    }

    async fn accepted(&self, integration: &Slug) -> Done<Accepted> {
        let accepted = self.accepted_of(integration.as_str()).await;
        accepted.map_err(wrap(format!("read what is accepted from {integration}")))
    }

    async fn client(&self, client: &str, change: ClientChange) -> Done<()> {
        let word = match change {
            ClientChange::Delete => "delete",
            ClientChange::Disable => "disable",
            ClientChange::Enable => "enable",
            ClientChange::RevokeTokens => "revoke the tokens of",
        };
        self.change(client, change).await.map_err(wrap(format!("{word} {client}")))
    }

    async fn copy_client(&self, client: &str) -> Done<ClientCopy> {
        self.copy_client_on(client, &CopyTerms::default()).await
    }

    async fn copy_client_on(&self, client: &str, terms: &CopyTerms) -> Done<ClientCopy> {
        self.copied(client, terms).await.map_err(wrap(format!("copy {client}")))
    }

    async fn renew_secret(&self, client: &str) -> Done<Renewed> {
        self.new_secret(client).await.map_err(wrap(format!("give {client} a new secret")))
    }

    async fn end_old_secret(&self, client: &str) -> Done<()> {
        let done = self.end_rotated_secret(client).await;
        done.map_err(wrap(format!("end the old secret of {client}")))
    }

    async fn replace_keys(&self, client: &str, keys: &Value) -> Done<()> {
        self.put_keys(client, keys).await.map_err(wrap(format!("replace the keys of {client}")))
    }

    async fn refuses_as_disabled(&self, client: &str) -> Done<Option<String>> {
        let refusal = self.refusal_of(client).await;
        refusal.map_err(wrap(format!("say why it refuses {client}")))
    }

    async fn redirects(&self, client: &str, change: Presence) -> Done<()> {
        let word = match change {
            Presence::Remove => "take away",
            Presence::Restore => "give back",
        };
        let done = self.change_redirects(client, change).await;
        done.map_err(wrap(format!("{word} the redirects of {client}")))
    }

    async fn request_token(&self, copy: &ClientCopy, request: &TokenRequest) -> Done<TokenAnswer> {
        let answer = self.token(copy, request).await;
        answer.map_err(wrap(format!("be asked for a token of {}", copy.client_id)))
    }

    async fn introspect(&self, token: &str) -> Done<bool> {
        self.is_active(token).await.map_err(wrap("say whether a token is active"))
    }

    async fn authorize(&self, client: &str, redirect: &str) -> Done<Answer> {
        let answer = self.authorization(client, redirect).await;
        answer.map_err(wrap(format!("be asked for a code of {client}")))
    }

    /// It limits no client to a number of tokens.
    async fn tokens_per_hour(&self, client: &str) -> Done<Option<u32>> {
        let _ = client;
        Ok(None)
    }

    fn by_hand(&self, act: AdminAct<'_>) -> Option<String> {
        let curl = |method: &str, path: &str, more: &str| {
            let address = self.wire.admin_address(path);
            format!(
                "curl -i -X {method} '{address}' -H \"authorization: Bearer $TOKEN\"{more}  # $TOKEN: an access token of an administrator"
            )
        };
        let body = |it: &str| format!(" -H 'content-type: application/json' --data-binary '{it}'");
        let of = |client: &str| format!("; $ID: `id` of `clients?clientId={client}`");
        match act {
            AdminAct::ListClients(_) => Some(curl("GET", "clients?max=250", "")),
            AdminAct::Disable(it) => {
                let part = format!(r#"{{"clientId":"{it}","enabled":false}}"#);
                Some(curl("PUT", "clients/'$ID'", &body(&part)) + &of(it))
            }
            AdminAct::Delete(it) => Some(curl("DELETE", "clients/'$ID'", "") + &of(it)),
            AdminAct::Copy(_) | AdminAct::AccessLog(_) => None,
        }
    }
}
