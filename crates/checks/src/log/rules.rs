//! What one line has to fulfil: attributable, time bounded, inside the declared use.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use countersign_model::declare::Manifest;
use countersign_model::declare::hours::Hours;
use countersign_model::declare::manifest::Identity;
use countersign_model::declare::request::UsePattern;
use countersign_model::time::{Period, Timestamp};
use ipnet::IpNet;

use super::record::Record;

/// What the manifest lets a log show, ready to be asked.
#[derive(Debug)]
pub struct Expectation {
    clients: BTreeMap<String, Client>,
    must_carry: Vec<String>,
    actor_pattern: Option<regex::Regex>,
    networks: Vec<IpNet>,
    hours: Option<Hours>,
    grant: Option<String>,
    pub(super) max_per_hour: Option<u32>,
    pub(super) deny_within: Period,
}

/// What one client may do.
#[derive(Debug)]
pub(super) struct Client {
    scopes: BTreeSet<String>,
    uses: Vec<UsePattern>,
    pub(super) max_token_ttl: Period,
    refresh: bool,
}

/// The manifest's declared use cannot be held against a log.
#[derive(Debug, thiserror::Error)]
#[error("the declared use cannot be read: `{0}`")]
pub struct ExpectationError(String);

impl Expectation {
    /// Compiles a manifest.
    pub fn compile(manifest: &Manifest) -> Result<Self, ExpectationError> {
        let unread = |it: &str| ExpectationError(it.to_owned());
        let clients = manifest.identities.iter().map(|it| {
            let client = client(it).ok_or_else(|| unread(it.id.as_str()))?;
            Ok((it.client_id().to_owned(), client))
        });
        let declared = manifest.declared_use.as_ref();
        let pattern = declared.and_then(|it| it.actor_pattern.as_deref());
        let networks = declared.map(|it| it.networks.as_slice()).unwrap_or_default();
        Ok(Self {
            clients: clients.collect::<Result<_, _>>()?,
            must_carry: declared.map(|it| it.must_carry.clone()).unwrap_or_default(),
            actor_pattern: pattern
                .map(|it| regex::Regex::new(it).map_err(|_| unread(it)))
                .transpose()?,
            networks: networks
                .iter()
                .map(|it| it.parse().map_err(|_| unread(it)))
                .collect::<Result<_, _>>()?,
            hours: declared
                .and_then(|it| it.hours.as_deref())
                .map(|it| it.parse().map_err(|_| unread(it)))
                .transpose()?,
            grant: declared.and_then(|it| it.grant.clone()),
            max_per_hour: declared.and_then(|it| it.max_per_hour),
            deny_within: manifest.revocation.deny_within,
        })
    }

    /// The same, with these fields on every line as well.
    #[must_use]
    pub fn carrying(mut self, fields: &[String]) -> Self {
        for field in fields {
            if !self.must_carry.contains(field) {
                self.must_carry.push(field.clone());
            }
        }
        self
    }

    /// The same, with tokens that live no longer than this.
    #[must_use]
    pub fn living_at_most(mut self, limit: Period) -> Self {
        for client in self.clients.values_mut() {
            client.max_token_ttl = client.max_token_ttl.min(limit);
        }
        self
    }

    /// How long any token of these clients lives at most.
    pub(super) fn longest_life(&self) -> Period {
        self.clients.values().map(|it| it.max_token_ttl).max().unwrap_or_default()
    }

    pub(super) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.get(id)
    }

    /// Why a request cannot be attributed.
    pub(super) fn unattributed(&self, record: &Record<'_>) -> Option<String> {
        let missing = self.must_carry.iter().map(String::as_str).filter(|it| !record.has(it));
        let missing: Vec<String> = missing.map(|it| lack(record, it)).collect();
        if !missing.is_empty() {
            return Some(missing.join(" and "));
        }
        if record.token().is_none() {
            return Some("no token_id".to_owned());
        }
        let pattern = self.actor_pattern.as_ref()?;
        match &record.actor {
            Some(actor) if pattern.is_match(actor) => None,
            Some(_) => Some(format!("actor does not match `{pattern}`")),
            None => Some("no actor".to_owned()),
        }
    }

    /// Why a request lies outside the declared use.
    pub(super) fn outside(&self, client: &Client, record: &Record<'_>) -> Option<String> {
        if let Some(scope) = record.scopes.iter().find(|it| !client.scopes.contains(it.as_ref())) {
            return Some(format!("scope `{}` is not declared", cut(scope)));
        }
        match (&self.grant, &record.grant) {
            (Some(declared), Some(grant))
                if declared != grant && !(client.refresh && grant == "refresh_token") =>
            {
                return Some(format!("grant `{}`, declared is `{declared}`", cut(grant)));
            }
            (None, Some(grant)) if grant == "refresh_token" && !client.refresh => {
                return Some("grant `refresh_token`, and refresh is not declared".to_owned());
            }
            (Some(_), None) => return Some("no grant".to_owned()),
            _ => {}
        }
        self.elsewhere(record).or_else(|| self.at_another_time(record))
    }

    /// Why a use lies outside the declared use.
    pub(super) fn used_outside(&self, client: &Client, record: &Record<'_>) -> Option<String> {
        let method = record.action.as_deref().unwrap_or_default();
        let path = record.resource.as_deref().unwrap_or_default();
        // A word of the partner's own cannot be held against a method and a path.
        let is_call = METHODS.contains(&method) && path.starts_with('/');
        if is_call && !client.uses.iter().any(|it| it.matches(method, path)) {
            return Some(format!("{method} {} is not declared", cut(path)));
        }
        self.elsewhere(record).or_else(|| self.at_another_time(record))
    }

    fn elsewhere(&self, record: &Record<'_>) -> Option<String> {
        if self.networks.is_empty() {
            return None;
        }
        match record.ip.map(unmapped) {
            Some(ip) if self.networks.iter().any(|it| it.contains(&ip)) => None,
            Some(_) => Some("address outside the declared networks".to_owned()),
            None => Some(lack(record, "ip").replace("no ip", "no address")),
        }
    }

    fn at_another_time(&self, record: &Record<'_>) -> Option<String> {
        match (record.time, &self.hours) {
            (Some(time), Some(hours)) if !hours.contains(time) => {
                Some(format!("at {time}, outside the declared hours"))
            }
            (Some(_), _) => None,
            (None, _) => Some(lack(record, "time")),
        }
    }
}

fn client(identity: &Identity) -> Option<Client> {
    let uses = identity.scopes.iter().flat_map(|it| &it.uses);
    Some(Client {
        scopes: identity.scopes.iter().map(|it| it.name.to_string()).collect(),
        uses: uses.map(|it| it.parse().ok()).collect::<Option<_>>()?,
        max_token_ttl: identity.max_token_ttl,
        refresh: identity.refresh.as_ref().is_some_and(|it| it.allowed),
    })
}

/// Why a token is not bounded in time.
pub(super) fn unbounded(client: &Client, record: &Record<'_>) -> Option<String> {
    let Some(until) = record.expires_at else {
        let unread = record.unreadable.contains("expires_at");
        return Some(
            if unread { "expires_at cannot be read" } else { "token has no end" }.to_owned(),
        );
    };
    if record.unreadable.contains("issued_at") {
        return Some("issued_at cannot be read".to_owned());
    }
    let Some(from) = record.issued_at.or(record.time) else {
        return Some("no time of issue".to_owned());
    };
    if until < from {
        return Some("token ends before it begins".to_owned());
    }
    if let Some(time) = record.time.filter(|it| until + Period::from_seconds(1) <= *it) {
        return Some(format!("used {} after its end", time.since(until)));
    }
    // A log may write one of the two in whole seconds, rounded either way.
    let life = until.since(from);
    let whole = |it: Timestamp| it.millis() % 1_000 == 0;
    let rounded = if whole(until) == whole(from) { 0 } else { 999 };
    (client.max_token_ttl + Period::from_millis(rounded) < life)
        .then(|| format!("token lives {life}, declared are {} at most", client.max_token_ttl))
}

/// That a field is not there, or is there and cannot be read.
fn lack(record: &Record<'_>, field: &str) -> String {
    if record.unreadable.contains(field) {
        return format!("{field} cannot be read");
    }
    format!("no {field}")
}

/// A foreign word in a finding.
fn cut(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(WORD_CHARS_MAX).collect()
}

/// An IPv4 address that was written as IPv6.
fn unmapped(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(it) => it.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
const WORD_CHARS_MAX: usize = 100;
