//! What the realm holds: every client, or those of one integration.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::certify::baseline::Granted;
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Auth, Identity};
use countersign_seal::Digest;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;

use super::KeycloakPlatform;
use super::client::{Client, tells};
use super::fault::{Role, unknown};
use super::service::{Book, ServiceAccount};
use super::settings::Lifespans;
use crate::platform::{Accepted, Held, Inventory, PlatformFault};

/// How many service accounts are read at once.
const READS_MAX: usize = 8;

type Done<T> = Result<T, PlatformFault>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Scope {
    name: String,
    protocol: String,
}

impl KeycloakPlatform {
    pub(super) async fn lives(&self) -> Done<Lifespans> {
        let lives: Lifespans = self.wire.read(&[], &[], Role::ViewRealm).await?;
        // Whoever lacks the role is answered with a part of it, and no refusal.
        if lives.access_token_lifespan == 0 {
            return Err(PlatformFault::Settings(format!(
                "the account that reads (`{}`) is shown only a part of the realm: give its service \
                 account the role `view-realm` of the client `realm-management`",
                self.reader_id()
            )));
        }
        Ok(lives)
    }

    pub(super) async fn clients(&self) -> Done<Vec<Client>> {
        let mut clients: Vec<Client> =
            self.wire.pages(&["clients"], &[], Role::ViewClients).await?;
        // A client that comes or goes between two pages may stand on both.
        clients.sort_by(|one, other| one.client_id.cmp(&other.client_id));
        clients.dedup_by(|one, other| one.client_id == other.client_id);
        if clients.is_empty() {
            return Err(PlatformFault::Settings(format!(
                "the account that reads (`{}`) is shown no client at all: give its service account \
                 the role `view-clients` of the client `realm-management`",
                self.reader_id()
            )));
        }
        Ok(clients)
    }

    /// One client; none where it is not known.
    pub(super) async fn find(&self, client: &str) -> Done<Option<Client>> {
        self.find_as(client, Role::ViewClients).await
    }

    /// The same in the name of whoever is about to change it.
    pub(super) async fn find_as(&self, client: &str, role: Role) -> Done<Option<Client>> {
        let query = [("clientId", client)];
        let found: Vec<Client> = self.wire.read(&["clients"], &query, role).await?;
        Ok(found.into_iter().find(|it| it.client_id == client))
    }

    /// One client to change; that it is not known is a refusal.
    pub(super) async fn known(&self, client: &str) -> Done<Client> {
        self.find_as(client, Role::ManageClients).await?.ok_or_else(unknown)
    }

    pub(super) async fn account_of(
        &self,
        book: &Book,
        client: &Client,
    ) -> Done<Option<ServiceAccount>> {
        if !client.service_accounts_enabled {
            return Ok(None);
        }
        book.account(&self.wire, &client.id).await.map(Some)
    }

    pub(super) async fn registered(&self, client: &str) -> Done<Option<Granted>> {
        let Some(client) = self.find(client).await? else { return Ok(None) };
        let lives = self.lives().await?;
        let account = self.account_of(&Book::default(), &client).await?;
        Ok(Some(client.granted(&lives, account.as_ref())))
    }

    pub(super) async fn listed(&self) -> Done<Inventory> {
        let lives = self.lives().await?;
        let clients = self.clients().await?;
        let used = self.last_used().await?;
        let book = Book::default();
        for it in &clients {
            book.note(&it.id, &it.client_id);
        }
        let (book, lives, used) = (&book, &lives, &used);
        let rows = clients.into_iter().map(|client| async move {
            let account = self.account_of(book, &client).await;
            let last = used.get(&client.client_id).copied();
            let row = account.map(|it| client.row(lives, it.as_ref(), last));
            (client.client_id, row)
        });
        let rows: Vec<_> = stream::iter(rows).buffered(READS_MAX).collect().await;
        let mut inventory = Inventory::default();
        for (id, row) in rows {
            match row {
                Ok(row) => inventory.clients.push(row),
                // It was deleted while the list was read.
                Err(PlatformFault::Refused { status: 404, .. }) => {}
                // What holds for one client is told of that client; what holds for all is an error.
                Err(it @ (PlatformFault::Refused { .. } | PlatformFault::Unreadable(_))) => {
                    inventory.unread.push((id, it.to_string()));
                }
                Err(it) => return Err(it),
            }
        }
        Ok(inventory)
    }

    pub(super) async fn held(&self, manifest: &Manifest) -> Done<Held> {
        let declared: BTreeMap<&str, &Identity> =
            manifest.identities.iter().map(|it| (it.client_id(), it)).collect();
        let slug = manifest.integration.id.as_str();
        let (lives, book) = (self.lives().await?, Book::default());
        let mut held = Held::default();
        for client in self.clients().await?.iter().filter(|it| it.copy_of().is_none()) {
            let id = client.client_id.clone();
            let Some(identity) = declared.get(id.as_str()) else {
                if client.integration() == Some(slug) {
                    held.undeclared.insert(id);
                }
                continue;
            };
            let account = self.account_of(&book, client).await?;
            let mut granted = client.granted(&lives, account.as_ref());
            // Keycloak takes a secret in either place, whichever is declared.
            if identity.auth == Auth::ClientSecretPost
                && granted.auth == Auth::ClientSecretBasic.word()
            {
                identity.auth.word().clone_into(&mut granted.auth);
            }
            held.credentials.insert(id.clone(), client.credentials());
            held.granted.insert(id, granted);
        }
        Ok(held)
    }

    pub(super) async fn known_scopes(&self) -> Done<BTreeMap<String, BTreeSet<String>>> {
        let scopes: Vec<Scope> = self.wire.read(&["client-scopes"], &[], Role::ViewClients).await?;
        let scopes = scopes.into_iter().filter(|it| it.protocol == "openid-connect");
        Ok(scopes.filter(|it| tells(&it.name)).map(|it| (it.name, BTreeSet::new())).collect())
    }

    pub(super) async fn accepted_of(&self, integration: &str) -> Done<Accepted> {
        let mut accepted = Accepted::default();
        let clients = self.clients().await?;
        for it in clients.iter().filter(|it| it.integration() == Some(integration)) {
            accepted.keys.extend(it.keys());
            accepted.secrets.extend(it.secrets().map(|it| Digest::of(it.as_bytes())));
        }
        Ok(accepted)
    }
}
