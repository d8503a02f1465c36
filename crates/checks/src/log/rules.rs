//! What one line has to fulfil: attributable, time bounded, inside the declared use.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::IpAddr;

use countersign_model::declare::Manifest;
use countersign_model::declare::hours::Hours;
use countersign_model::declare::manifest::Identity;
use countersign_model::declare::request::UsePattern;
use countersign_model::time::{Period, Timestamp};
use ipnet::IpNet;

use super::finding::{Answer, Rule};
use super::record::Record;

/// What the manifest lets a log show, ready to be asked.
#[derive(Debug)]
pub struct Expectation {
    clients: Vec<(String, Client)>,
    must_carry: Vec<String>,
    actor_pattern: Option<regex::Regex>,
    networks: Vec<IpNet>,
    hours: Option<Hours>,
    grant: Option<String>,
    is_machine: bool,
    pub(super) max_per_hour: Option<u32>,
    pub(super) deny_within: Period,
}

/// What one client may do.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) scopes: Vec<String>,
    uses: Vec<UsePattern>,
    pub(super) max_token_ttl: Period,
    refresh: bool,
}

/// The manifest's declared use cannot be held against a log.
#[derive(Debug, thiserror::Error)]
#[error("the declared use cannot be read: `{0}`")]
pub struct ExpectationError(String);

/// The last minute that was looked up, and whether it lies inside the declared hours: their windows begin and
/// end at whole minutes, and neighbours in a log are neighbours in time.
pub(super) type LastMinute = Cell<Option<(i64, bool)>>;

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
        let grant = declared.and_then(|it| it.grant.clone());
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
            // Whoever declares a callback has people sign in.
            is_machine: grant.as_deref() == Some("client_credentials")
                || (grant.is_none() && manifest.callbacks.is_empty()),
            grant,
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
        for (_, client) in &mut self.clients {
            client.max_token_ttl = client.max_token_ttl.min(limit);
        }
        self
    }

    /// How long any token of these clients lives at most.
    pub(super) fn longest_life(&self) -> Period {
        self.clients.iter().map(|it| it.1.max_token_ttl).max().unwrap_or_default()
    }

    /// The client of this id, and its place in the manifest.
    pub(super) fn client(&self, id: &str) -> Option<(usize, &Client)> {
        let at = self.clients.iter().position(|it| it.0 == id)?;
        self.clients.get(at).map(|it| (at, &it.1))
    }

    /// The clients with their ids, as the manifest has them.
    pub(super) fn clients(&self) -> &[(String, Client)] {
        &self.clients
    }

    /// Whether a request can be attributed.
    pub(super) fn attributed(&self, record: &Record<'_>) -> Answer {
        let is_missing = |it: &&String| !record.has(it);
        let missing: Vec<&String> = self.must_carry.iter().filter(is_missing).collect();
        let (untold, missing): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|it| record.cannot(it).is_some());
        if !missing.is_empty() {
            let missing: Vec<String> = missing.into_iter().map(|it| lack(record, it)).collect();
            return Answer::wrong(Rule::CarriesWhatItMust, missing.join(" and "));
        }
        let told = untold.first().and_then(|it| record.cannot(it)).map(Answer::Untold);
        told.unwrap_or_default().or(|| token(record)).or(|| self.acted(record))
    }

    fn acted(&self, record: &Record<'_>) -> Answer {
        let Some(pattern) = &self.actor_pattern else { return Answer::Good };
        match (&record.actor, record.cannot("actor")) {
            (Some(actor), _) if pattern.is_match(actor) => Answer::Good,
            (Some(_), _) => {
                Answer::wrong(Rule::NamesAnActor, format!("actor does not match `{pattern}`"))
            }
            (None, Some(why)) => Answer::Untold(why),
            (None, None) => Answer::wrong(Rule::NamesAnActor, "no actor"),
        }
    }

    /// Whether a request lies inside the declared use.
    pub(super) fn inside(&self, client: &Client, record: &Record<'_>, last: &LastMinute) -> Answer {
        scoped(client, record)
            .or(|| self.by_its_grant(client, record))
            .or(|| self.by_a_machine(record))
            .or(|| self.elsewhere(record))
            .or(|| self.at_another_time(record, last))
    }

    /// Whether a use lies inside the declared use.
    pub(super) fn used_inside(
        &self,
        client: &Client,
        record: &Record<'_>,
        last: &LastMinute,
    ) -> Answer {
        let method = record.action.as_deref().unwrap_or_default();
        let path = record.resource.as_deref().unwrap_or_default();
        // A word of the partner's own cannot be held against a method and a path.
        let is_call = METHODS.contains(&method) && path.starts_with('/');
        if is_call && !client.uses.iter().any(|it| it.matches(method, path)) {
            let reason = format!("{method} {} is not declared", cut(path));
            return Answer::wrong(Rule::KeepsToItsEndpoints, reason);
        }
        self.by_a_machine(record)
            .or(|| self.elsewhere(record))
            .or(|| self.at_another_time(record, last))
    }

    fn by_its_grant(&self, client: &Client, record: &Record<'_>) -> Answer {
        let refreshes = |it: &str| client.refresh && it == "refresh_token";
        match (&self.grant, record.grant.as_deref()) {
            (Some(declared), Some(grant)) if declared != grant && !refreshes(grant) => {
                let reason = format!("grant `{}`, declared is `{declared}`", cut(grant));
                Answer::wrong(Rule::KeepsToItsGrant, reason)
            }
            (None, Some(grant)) if grant == "refresh_token" && !client.refresh => {
                let reason = "grant `refresh_token`, and refresh is not declared";
                Answer::wrong(Rule::KeepsToItsGrant, reason)
            }
            (Some(_), None) => match record.cannot("grant") {
                Some(why) => Answer::Untold(why),
                None => Answer::wrong(Rule::KeepsToItsGrant, "no grant"),
            },
            _ => Answer::Good,
        }
    }

    /// A person who acts as a machine signs in, or looks around with a browser.
    fn by_a_machine(&self, record: &Record<'_>) -> Answer {
        if !self.is_machine {
            return Answer::Good;
        }
        if let Some(grant) = record.grant.as_deref().filter(|it| PERSONAL.contains(it)) {
            let reason = format!("a person used a machine's identity: grant `{grant}`");
            return Answer::wrong(Rule::StaysAMachine, reason);
        }
        if record.agent.as_deref().is_some_and(|it| it.starts_with("Mozilla/")) {
            let reason = "a person used a machine's identity: the agent is a browser";
            return Answer::wrong(Rule::StaysAMachine, reason);
        }
        Answer::Good
    }

    fn elsewhere(&self, record: &Record<'_>) -> Answer {
        if self.networks.is_empty() {
            return Answer::Good;
        }
        match record.ip.map(unmapped) {
            Some(ip) if self.networks.iter().any(|it| it.contains(&ip)) => Answer::Good,
            Some(_) => {
                Answer::wrong(Rule::StaysInItsNetworks, "address outside the declared networks")
            }
            None => {
                let reason = lack(record, "ip").replace("no ip", "no address");
                Answer::wrong(Rule::StaysInItsNetworks, reason)
            }
        }
    }

    fn at_another_time(&self, record: &Record<'_>, last: &LastMinute) -> Answer {
        match (record.time, &self.hours) {
            (Some(time), Some(hours)) if !contains(hours, time, last) => {
                let reason = format!("at {time}, outside the declared hours");
                Answer::wrong(Rule::KeepsItsHours, reason)
            }
            (Some(_), _) => Answer::Good,
            (None, _) => Answer::wrong(Rule::KeepsItsHours, lack(record, "time")),
        }
    }

    /// A word for where a record comes from: the declared networks are one, else it is the /24 or /48 around
    /// the address. Never 0.
    pub(super) fn network(&self, ip: IpAddr) -> u64 {
        let ip = unmapped(ip);
        if self.networks.iter().any(|it| it.contains(&ip)) {
            return 1;
        }
        match ip {
            IpAddr::V4(it) => 1 << 62 | u64::from(u32::from(it) >> 8),
            IpAddr::V6(it) => 1 << 63 | u64::try_from(u128::from(it) >> 80).unwrap_or_default(),
        }
    }
}

fn contains(hours: &Hours, time: Timestamp, last: &LastMinute) -> bool {
    let minute = time.millis().div_euclid(60_000);
    if let Some((_, is_inside)) = last.get().filter(|it| it.0 == minute) {
        return is_inside;
    }
    let is_inside = hours.contains(time);
    last.set(Some((minute, is_inside)));
    is_inside
}

fn token(record: &Record<'_>) -> Answer {
    match (record.token(), record.cannot("token_id")) {
        (Some(_), _) => Answer::Good,
        (None, Some(why)) => Answer::Untold(why),
        (None, None) => Answer::wrong(Rule::NamesItsToken, "no token_id"),
    }
}

fn scoped(client: &Client, record: &Record<'_>) -> Answer {
    let is_undeclared = |it: &&_| !client.scopes.iter().any(|own| own == *it);
    if let Some(scope) = record.scopes.iter().map(AsRef::as_ref).find(is_undeclared) {
        let reason = format!("scope `{}` is not declared", cut(scope));
        return Answer::wrong(Rule::KeepsToItsScopes, reason);
    }
    match record.cannot("scope") {
        Some(why) if record.scopes.is_empty() => Answer::Untold(why),
        _ => Answer::Good,
    }
}

fn client(identity: &Identity) -> Option<Client> {
    let uses = identity.scopes.iter().flat_map(|it| &it.uses);
    let scopes: BTreeSet<String> = identity.scopes.iter().map(|it| it.name.to_string()).collect();
    Some(Client {
        scopes: scopes.into_iter().collect(),
        uses: uses.map(|it| it.parse().ok()).collect::<Option<_>>()?,
        max_token_ttl: identity.max_token_ttl,
        refresh: identity.refresh.as_ref().is_some_and(|it| it.allowed),
    })
}

/// Whether a token is bounded in time.
pub(super) fn bounded(client: &Client, record: &Record<'_>) -> Answer {
    let wrong = |reason: String| Answer::wrong(Rule::EndsInTime, reason);
    let Some(until) = record.expires_at else {
        let unread = record.unreadable.contains("expires_at");
        return match record.cannot("expires_at").filter(|_| !unread) {
            Some(why) => Answer::Untold(why),
            None if unread => wrong("expires_at cannot be read".to_owned()),
            None => wrong("token has no end".to_owned()),
        };
    };
    if record.unreadable.contains("issued_at") {
        return wrong("issued_at cannot be read".to_owned());
    }
    let Some(from) = record.issued_at.or(record.time) else {
        return wrong("no time of issue".to_owned());
    };
    if until < from {
        return wrong("token ends before it begins".to_owned());
    }
    if let Some(time) = record.time.filter(|it| until + Period::from_seconds(1) <= *it) {
        return wrong(format!("used {} after its end", time.since(until)));
    }
    // A log may write one of the two in whole seconds, rounded either way.
    let life = until.since(from);
    let whole = |it: Timestamp| it.millis() % 1_000 == 0;
    let rounded = if whole(until) == whole(from) { 0 } else { 999 };
    if client.max_token_ttl + Period::from_millis(rounded) < life {
        let declared = client.max_token_ttl;
        return wrong(format!("token lives {life}, declared are {declared} at most"));
    }
    Answer::Good
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

/// Grants for which a person signs in.
const PERSONAL: [&str; 5] = [
    "authorization_code",
    "implicit",
    "password",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:openid:params:grant-type:ciba",
];
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
const WORD_CHARS_MAX: usize = 100;
