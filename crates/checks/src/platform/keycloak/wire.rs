//! One request to Keycloak: to the realm or to its administration, with the right token, inside limits.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::KeycloakSettings;
use super::account::{Pass, Proof, Session, Who};
use super::fault::{self, Role};
use crate::live::ask::Ask;
use crate::live::clock::Clock;
use crate::live::http::{BODY_BYTES_MAX, Raw};
use crate::platform::assertion::token_form;
use crate::platform::line::Line;
use crate::platform::{ClientCopy, PlatformFault, Reach, TokenRequest};

/// The largest answer of its administration that is read: a page of clients.
const ANSWER_BYTES_MAX: usize = 32 * BODY_BYTES_MAX;
/// How many rows a page has.
const PAGE_ROWS: usize = 250;
/// How many rows are read of one list at most.
const ROWS_MAX: usize = 100_000;
/// How often a request that came too early is sent, and how many seconds are waited in all.
const BUSY_TRIES: usize = 3;
const BUSY_MAX: u64 = 10;

type Done<T> = Result<T, PlatformFault>;

/// The line to a realm.
#[derive(Debug)]
pub(super) struct Wire {
    realm: Url,
    admin: Url,
    line: Line,
    reader: Session,
    killer: Session,
    clock: Arc<dyn Clock>,
}

impl Wire {
    pub(super) fn new(settings: KeycloakSettings, clock: Arc<dyn Clock>) -> Done<Self> {
        let wrong = |it: String| PlatformFault::Settings(it);
        let realm = address("url", &settings.url)?;
        let (front, name) = realm.path().rsplit_once("/realms/").ok_or_else(|| {
            wrong(format!(
                "`url` ends in `/realms/` and the name of the realm, and `{realm}` does not"
            ))
        })?;
        let mut admin = realm.clone();
        admin.set_path(front);
        if let Some(it) = &settings.admin_url {
            admin = address("admin_url", it)?;
        }
        let front = admin.path().trim_end_matches('/').to_owned();
        admin.set_path(&format!("{front}/admin/realms/{name}"));
        for it in [&settings.reader, &settings.killer] {
            let is_empty = matches!(&it.proof, Proof::Secret(it) if it.is_empty());
            if it.client_id.is_empty() || is_empty {
                return Err(wrong("an account has no client id, or no secret".to_owned()));
            }
        }
        let host = |it: &Url| it.host_str().unwrap_or_default().to_owned();
        let hosts = settings.hosts.iter().cloned().chain([host(&realm), host(&admin)]);
        let line = Line::new(hosts, settings.resolve, settings.ca.as_deref(), settings.limit)?;
        let (reader, killer) = (Session::new(settings.reader), Session::new(settings.killer));
        Ok(Self { realm, admin, line, reader, killer, clock })
    }

    /// `https://id.example.com/realms/partners`.
    pub(super) fn issuer(&self) -> &str {
        self.realm.as_str()
    }

    /// An endpoint of the realm, as its metadata name it.
    pub(super) fn endpoint(&self, name: &str) -> String {
        format!("{}/protocol/openid-connect/{name}", self.realm)
    }

    /// `https://id.example.com/admin/realms/partners/clients`.
    pub(super) fn admin_address(&self, path: &str) -> String {
        format!("{}/{path}", self.admin)
    }

    pub(super) fn reach(&self) -> Reach {
        self.line.reach(self.realm.origin().ascii_serialization())
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    pub(super) fn session(&self, who: Who) -> &Session {
        match who {
            Who::Killer => &self.killer,
            Who::Reader => &self.reader,
        }
    }

    /// Sends it, and again a little later where the server asks for that (RFC 6585, section 4).
    pub(super) async fn send(&self, ask: Ask, from: Option<IpAddr>) -> Done<Raw> {
        let mut left = BUSY_MAX;
        for _ in 1..BUSY_TRIES {
            let raw = self.line.send(ask.clone(), from, ANSWER_BYTES_MAX).await?;
            match fault::not_busy(raw) {
                Err(PlatformFault::Busy { seconds: Some(seconds) }) if seconds <= left => {
                    left -= seconds;
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
                other => return other,
            }
        }
        fault::not_busy(self.line.send(ask, from, ANSWER_BYTES_MAX).await?)
    }

    /// A form at an endpoint of the realm.
    pub(super) async fn form(
        &self,
        endpoint: &str,
        fields: &BTreeMap<String, String>,
        from: Option<IpAddr>,
    ) -> Done<Raw> {
        let mut ask = Ask::new("POST", self.endpoint(endpoint));
        ask.body = Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        self.send(ask.header("content-type", "application/x-www-form-urlencoded"), from).await
    }

    /// A form in the name of one of our accounts.
    pub(super) async fn own_form(
        &self,
        endpoint: &str,
        who: Who,
        more: &[(&str, &str)],
    ) -> Done<Raw> {
        let account = &self.session(who).account;
        let mut fields = BTreeMap::new();
        match &account.proof {
            Proof::Key(seed) => {
                let copy = ClientCopy::new(account.client_id.clone(), seed.clone());
                let (request, place) = (TokenRequest::default(), self.endpoint("token"));
                fields = token_form(&copy, &request, &place, self.clock.now())?;
            }
            Proof::Secret(secret) => {
                fields.insert("client_id".to_owned(), account.client_id.clone());
                fields.insert("client_secret".to_owned(), secret.to_string());
            }
        }
        fields.remove("grant_type");
        fields.extend(more.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())));
        self.form(endpoint, &fields, None).await
    }

    /// The token of an account, and how far the server's clock is ahead of ours.
    async fn token(&self, who: Who, renew: bool) -> Done<(Zeroizing<String>, i64)> {
        let session = self.session(who);
        let mut pass = session.pass.lock().await;
        let now_ms = self.clock.monotonic_ms();
        if let Some(it) = pass.as_ref().filter(|_| !renew)
            && let Some(token) = it.token(now_ms)
        {
            return Ok((token, it.ahead_seconds));
        }
        *pass = None;
        let raw = self.own_form("token", who, &[("grant_type", "client_credentials")]).await?;
        let answer = fault::account(&raw, who, &session.account.client_id, self.realm.as_str())?;
        let fresh = Pass::parse(&answer, now_ms, self.clock.now().seconds())?;
        let found = (fresh.token.clone(), fresh.ahead_seconds);
        *pass = Some(fresh);
        Ok(found)
    }

    /// How far the server's clock is ahead of ours, in seconds.
    pub(super) async fn ahead_seconds(&self, who: Who) -> Done<i64> {
        self.token(who, false).await.map(|(_, it)| it)
    }

    /// A request to its administration. A token that ended meanwhile is renewed once.
    pub(super) async fn administer(
        &self,
        (method, path): (&str, &[&str]),
        query: &[(&str, &str)],
        body: Option<&Value>,
        role: Role,
    ) -> Done<Raw> {
        let mut url = self.admin.clone();
        // `.` and `..` would be taken for steps: such a name cannot be asked for.
        if let Some(part) = path.iter().find(|it| ["", ".", ".."].contains(it)) {
            return Err(PlatformFault::Settings(format!("`{part}` is not a name")));
        }
        let no_path = |()| PlatformFault::Settings("its address has no path".to_owned());
        url.path_segments_mut().map_err(no_path)?.extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let who = role.who();
        let mut renew = false;
        loop {
            let (token, _) = self.token(who, renew).await?;
            let mut ask = Ask::new(method, url.as_str()).bearer(Some(&token));
            if let Some(body) = body {
                ask = ask.json(body.to_string());
            }
            let raw = self.send(ask, None).await?;
            if raw.status == 401 && !renew {
                renew = true;
                continue;
            }
            fault::administration(&raw, role, &self.session(who).account.client_id, self.issuer())?;
            return Ok(raw);
        }
    }

    /// Reads one thing.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        role: Role,
    ) -> Done<T> {
        fault::parsed(&self.administer(("GET", path), query, None, role).await?)
    }

    /// Reads a list, page by page, until a page is not full; no more than so many rows.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        role: Role,
    ) -> Done<Vec<T>> {
        let mut all = Vec::new();
        let max = PAGE_ROWS.to_string();
        while all.len() < ROWS_MAX {
            let first = all.len().to_string();
            let page: Vec<(&str, &str)> =
                query.iter().copied().chain([("first", first.as_str()), ("max", &max)]).collect();
            let rows: Vec<T> = self.read(path, &page, role).await?;
            let is_last = rows.len() < PAGE_ROWS;
            all.extend(rows);
            if is_last {
                return Ok(all);
            }
        }
        Err(PlatformFault::Unreadable(format!("it lists more than {ROWS_MAX} rows")))
    }
}

/// An https address without anything that does not belong to it.
fn address(name: &str, text: &str) -> Done<Url> {
    let wrong = |it: &str| PlatformFault::Settings(format!("`{name}` {it}"));
    let url = Url::parse(text.trim_end_matches('/')).map_err(|_| wrong("cannot be read"))?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if url.scheme() != "https" || url.host_str().is_none() || !is_plain {
        return Err(wrong("is not `https://` with a host and a path"));
    }
    Ok(url)
}
