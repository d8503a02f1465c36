//! What the realm wrote down: token requests, and what administrators changed.

use std::collections::BTreeMap;

use countersign_model::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::KeycloakPlatform;
use super::fault::{Role, word};
use super::service::Book;
use super::settings::Recording;
use crate::platform::{AdminRecord, PlatformFault};

/// How many of the newest events are looked through for the last use of each client.
const NEWEST_MAX: usize = 5_000;
const NEWEST_ROWS: usize = 1_000;

type Done<T> = Result<T, PlatformFault>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    time: i64,
    client_id: Option<String>,
    error: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AdminEvent {
    time: i64,
    auth_details: Author,
    operation_type: String,
    resource_type: String,
    resource_path: String,
    representation: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Author {
    realm_id: Option<String>,
    user_id: Option<String>,
    ip_address: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct User {
    username: String,
}

/// The name of a service account begins with this, and ends with the client's id.
const SERVICE_ACCOUNT: &str = "service-account-";

impl KeycloakPlatform {
    async fn recording(&self) -> Done<Recording> {
        self.wire.read(&["events", "config"], &[], Role::ViewEvents).await
    }

    /// Events of one client, the oldest first, as JSON lines.
    pub(super) async fn token_lines(&self, client: &str, since: Timestamp) -> Done<Vec<u8>> {
        if let Some(lack) = self.recording().await?.lacks_tokens() {
            return Err(PlatformFault::Lacking(lack));
        }
        let from = since.millis().max(0).to_string();
        let query = [("client", client), ("dateFrom", from.as_str()), ("direction", "asc")];
        let events: Vec<Value> = self.wire.pages(&["events"], &query, Role::ViewEvents).await?;
        let mut lines = Vec::new();
        for it in events {
            lines.extend(it.to_string().into_bytes());
            lines.push(b'\n');
        }
        Ok(lines)
    }

    /// The errors of one client's events from a moment on, the newest first.
    pub(super) async fn errors_since(&self, client: &str, since: Timestamp) -> Done<Vec<String>> {
        if let Some(lack) = self.recording().await?.lacks_tokens() {
            return Err(PlatformFault::Lacking(lack));
        }
        let from = since.millis().max(0).to_string();
        let query = [("client", client), ("dateFrom", from.as_str()), ("max", "20")];
        let events: Vec<Event> = self.wire.read(&["events"], &query, Role::ViewEvents).await?;
        Ok(events.into_iter().filter_map(|it| it.error).map(|it| word(&it)).collect())
    }

    /// When each client last got a token, as far back as the newest events reach.
    pub(super) async fn last_used(&self) -> Done<BTreeMap<String, Timestamp>> {
        let mut used = BTreeMap::new();
        if self.recording().await?.lacks_tokens().is_some() {
            return Ok(used);
        }
        let max = NEWEST_ROWS.to_string();
        for first in (0..NEWEST_MAX).step_by(NEWEST_ROWS) {
            let first = first.to_string();
            let query = [
                ("type", "CLIENT_LOGIN"),
                ("type", "CODE_TO_TOKEN"),
                ("type", "REFRESH_TOKEN"),
                ("type", "TOKEN_EXCHANGE"),
                ("first", &first),
                ("max", &max),
            ];
            let events: Vec<Event> = self.wire.read(&["events"], &query, Role::ViewEvents).await?;
            let is_last = events.len() < NEWEST_ROWS;
            for it in events {
                let time = Timestamp::from_millis(it.time);
                if let Some(client) = it.client_id {
                    let last = used.entry(client).or_insert(time);
                    *last = time.max(*last);
                }
            }
            if is_last {
                break;
            }
        }
        Ok(used)
    }

    /// What administrators changed, the oldest first.
    pub(super) async fn admin_records(&self, since: Timestamp) -> Done<Vec<AdminRecord>> {
        if let Some(lack) = self.recording().await?.lacks_admin() {
            return Err(PlatformFault::Lacking(lack));
        }
        let from = since.millis().max(0).to_string();
        let query = [("dateFrom", from.as_str()), ("direction", "asc")];
        let mut events: Vec<AdminEvent> =
            self.wire.pages(&["admin-events"], &query, Role::ViewEvents).await?;
        events.sort_by_key(|it| it.time);
        let mut names = Names { platform: self, book: Book::default(), users: BTreeMap::new() };
        // A client that is gone is known by what was written down when it was made or changed.
        for it in &events {
            if let Some((id, name)) = it.client() {
                names.book.note(id, &name);
            }
        }
        let mut records = Vec::with_capacity(events.len());
        for it in events {
            records.push(AdminRecord {
                time: Timestamp::from_millis(it.time),
                actor: names.actor(&it.auth_details).await?,
                ip: it.auth_details.ip_address.clone(),
                client_id: names.changed(&it).await?,
                action: format!("{} {}", word(&it.operation_type), word(&it.resource_type)),
                resource: word(&it.resource_path),
            });
        }
        Ok(records)
    }
}

impl AdminEvent {
    /// The inner id of the client that it is about, and its name, where it was written down.
    fn client(&self) -> Option<(&str, String)> {
        let id = self.resource_path.strip_prefix("clients/").filter(|it| !it.contains('/'))?;
        let value: Value = serde_json::from_str(self.representation.as_ref()?).ok()?;
        Some((id, value.get("clientId")?.as_str()?.to_owned()))
    }
}

/// Names of people and clients, each asked for once.
struct Names<'a> {
    platform: &'a KeycloakPlatform,
    book: Book,
    users: BTreeMap<String, Option<String>>,
}

impl Names<'_> {
    async fn user(&mut self, id: &str) -> Done<Option<String>> {
        if let Some(it) = self.users.get(id) {
            return Ok(it.clone());
        }
        let user = self.platform.wire.read::<User>(&["users", id], &[], Role::ViewUsers).await;
        let name = match user {
            Ok(it) => Some(word(&it.username)),
            Err(PlatformFault::Refused { status: 404, .. }) => None,
            Err(it) => return Err(it),
        };
        self.users.insert(id.to_owned(), name.clone());
        Ok(name)
    }

    /// An administrator of another realm, `master` above all, has no name here.
    async fn actor(&mut self, author: &Author) -> Done<String> {
        let Some(id) = &author.user_id else { return Ok("nobody who is named".to_owned()) };
        if let Some(name) = self.user(id).await? {
            return Ok(name);
        }
        let realm = author.realm_id.as_deref().unwrap_or("unknown");
        Ok(format!("user {} of realm {}", word(id), word(realm)))
    }

    /// The client that was changed: itself, or the account with which it acts.
    async fn changed(&mut self, event: &AdminEvent) -> Done<Option<String>> {
        let mut parts = event.resource_path.split('/');
        match (parts.next(), parts.next()) {
            (Some("clients"), Some(id)) if !id.is_empty() => {
                self.book.client(&self.platform.wire, id).await
            }
            (Some("users"), Some(id)) if !id.is_empty() => {
                let name = self.user(id).await?;
                Ok(name.and_then(|it| it.strip_prefix(SERVICE_ACCOUNT).map(str::to_owned)))
            }
            _ => Ok(None),
        }
    }
}
