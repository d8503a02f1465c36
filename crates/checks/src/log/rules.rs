//! Every line is judged: attributable, time bounded, inside the declared use; and none is missing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use countersign_model::declare::Manifest;
use countersign_model::declare::hours::Hours;
use countersign_model::time::{Period, Timestamp};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::record::Record;

/// How many failing lines are shown for each question.
const SHOWN_MAX: usize = 100;
/// How many token ids and sequence numbers are kept to find missing lines.
const IDS_MAX: usize = 1_000_000;

/// What the manifest lets a log show, ready to be asked.
#[derive(Debug)]
pub struct Expectation {
    clients: BTreeMap<String, Client>,
    must_carry: Vec<String>,
    actor_pattern: Option<regex::Regex>,
    networks: Vec<IpNet>,
    hours: Option<Hours>,
    grant: Option<String>,
    max_per_hour: Option<u32>,
}

#[derive(Debug)]
struct Client {
    scopes: BTreeSet<String>,
    max_token_ttl: Period,
    refresh: bool,
}

/// The manifest's declared use cannot be held against a log.
#[derive(Debug, thiserror::Error)]
#[error("the declared use cannot be read: `{0}`")]
pub struct ExpectationError(String);

impl Expectation {
    /// Compiles a manifest.
    pub fn compile(manifest: &Manifest) -> Result<Self, ExpectationError> {
        let clients = manifest.identities.iter().map(|it| {
            let client = Client {
                scopes: it.scopes.iter().map(|it| it.name.to_string()).collect(),
                max_token_ttl: it.max_token_ttl,
                refresh: it.refresh.as_ref().is_some_and(|it| it.allowed),
            };
            (it.client_id().to_owned(), client)
        });
        let declared = manifest.declared_use.as_ref();
        let pattern = declared.and_then(|it| it.actor_pattern.as_deref());
        let networks = declared.map(|it| it.networks.as_slice()).unwrap_or_default();
        Ok(Self {
            clients: clients.collect(),
            must_carry: declared.map(|it| it.must_carry.clone()).unwrap_or_default(),
            actor_pattern: pattern
                .map(|it| regex::Regex::new(it).map_err(|_| ExpectationError(it.to_owned())))
                .transpose()?,
            networks: networks
                .iter()
                .map(|it| it.parse().map_err(|_| ExpectationError(it.clone())))
                .collect::<Result<_, _>>()?,
            hours: declared
                .and_then(|it| it.hours.as_deref())
                .map(|it| it.parse().map_err(|_| ExpectationError(it.to_owned())))
                .transpose()?,
            grant: declared.and_then(|it| it.grant.clone()),
            max_per_hour: declared.and_then(|it| it.max_per_hour),
        })
    }
}

/// A share of the requests, and which ones are missing from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Share {
    /// How many are in order.
    pub good: u64,
    /// How many there are.
    pub all: u64,
    /// Those that are not, with line and reason; the first 100.
    pub failing: Vec<String>,
}

impl Share {
    fn count(&mut self, line: u64, wrong: Option<String>) {
        self.all += 1;
        match wrong {
            None => self.good += 1,
            Some(reason) if self.failing.len() < SHOWN_MAX => {
                self.failing.push(format!("line {line}: {reason}"));
            }
            Some(_) => {}
        }
    }
}

/// What a log came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Token requests that were granted to a client of this manifest.
    pub requests: u64,
    /// Lines that could not be read.
    pub unreadable: Vec<String>,
    /// When the first request was made.
    pub first: Option<Timestamp>,
    /// When the last request was made.
    pub last: Option<Timestamp>,
    /// Requests with a known actor and every field that they must carry.
    pub attributable: Share,
    /// Tokens with an end inside the declared life.
    pub time_bounded: Share,
    /// Requests inside the declared use.
    pub consistent: Share,
    /// Sequence numbers that are missing, or come twice.
    pub gaps: Vec<String>,
    /// Token ids that were issued.
    #[serde(skip)]
    pub issued: BTreeSet<String>,
    /// Whether there were more ids than can be kept; completeness is then not known.
    pub ids_cut: bool,
}

/// Judges a log line by line, in bounded memory.
#[derive(Debug)]
pub struct Judge<'a> {
    expectation: &'a Expectation,
    report: Report,
    line: u64,
    sequences: BTreeMap<String, BTreeSet<u64>>,
    recent: BTreeMap<String, VecDeque<Timestamp>>,
}

impl<'a> Judge<'a> {
    /// A judge that has seen nothing.
    pub fn new(expectation: &'a Expectation) -> Self {
        Self {
            expectation,
            report: Report::default(),
            line: 0,
            sequences: BTreeMap::new(),
            recent: BTreeMap::new(),
        }
    }

    /// Takes one line in. A line that cannot be read is counted, located and kept.
    pub fn line(&mut self, line: &[u8]) {
        self.line += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match Record::parse(line) {
            Ok(record) => self.record(&record),
            Err(error) if self.report.unreadable.len() < SHOWN_MAX => {
                self.report.unreadable.push(format!("line {}: {error}", self.line));
            }
            Err(_) => {}
        }
    }

    fn record(&mut self, record: &Record) {
        let expectation = self.expectation;
        let Some(id) = record.client_id.as_deref() else {
            self.report.attributable.count(self.line, Some("no client".to_owned()));
            return;
        };
        let Some(client) = expectation.clients.get(id) else { return };
        if let Some(sequence) = record.sequence {
            self.sequence(id, sequence);
        }
        if !record.granted {
            return;
        }
        let report = &mut self.report;
        report.requests += 1;
        report.first = report.first.into_iter().chain(record.time).min();
        report.last = report.last.into_iter().chain(record.time).max();
        if let Some(token) = &record.token_id {
            if report.issued.len() < IDS_MAX {
                report.issued.insert(token.clone());
            } else {
                report.ids_cut = true;
            }
        }
        let rate = record.time.and_then(|it| self.over_rate(id, it));
        let report = &mut self.report;
        report.attributable.count(self.line, unattributed(expectation, record));
        report.time_bounded.count(self.line, unbounded(client, record));
        report.consistent.count(self.line, inconsistent(expectation, client, record).or(rate));
    }

    fn sequence(&mut self, client: &str, sequence: u64) {
        let kept: usize = self.sequences.values().map(BTreeSet::len).sum();
        let seen = self.sequences.entry(client.to_owned()).or_default();
        if IDS_MAX <= kept {
            self.report.ids_cut = true;
        } else if !seen.insert(sequence) && self.report.gaps.len() < SHOWN_MAX {
            self.report.gaps.push(format!("line {}: number {sequence} comes twice", self.line));
        }
    }

    fn over_rate(&mut self, client: &str, time: Timestamp) -> Option<String> {
        let limit = self.expectation.max_per_hour?;
        let recent = self.recent.entry(client.to_owned()).or_default();
        recent.push_back(time);
        while recent.front().is_some_and(|it| *it + Period::from_hours(1) <= time) {
            recent.pop_front();
        }
        let limit_size = usize::try_from(limit).unwrap_or(usize::MAX);
        let over = limit_size < recent.len();
        if over {
            recent.pop_front();
        }
        over.then(|| format!("more than {limit} requests in an hour (max_per_hour)"))
    }

    /// The report, when every line was taken in.
    pub fn finish(mut self) -> Report {
        for (client, seen) in &self.sequences {
            let mut before: Option<u64> = None;
            for number in seen {
                if let Some(before) = before.filter(|it| it + 1 < *number)
                    && self.report.gaps.len() < SHOWN_MAX
                {
                    let gap = if before + 2 == *number {
                        format!("{client}: number {} is missing", before + 1)
                    } else {
                        format!("{client}: numbers {} to {} are missing", before + 1, number - 1)
                    };
                    self.report.gaps.push(gap);
                }
                before = Some(*number);
            }
        }
        self.report
    }
}

fn unattributed(expectation: &Expectation, record: &Record) -> Option<String> {
    let missing: Vec<&str> =
        expectation.must_carry.iter().map(String::as_str).filter(|it| !record.has(it)).collect();
    if !missing.is_empty() {
        return Some(format!("no {}", missing.join(" and no ")));
    }
    if record.token_id.is_none() {
        return Some("no token_id".to_owned());
    }
    let pattern = expectation.actor_pattern.as_ref()?;
    match &record.actor {
        Some(actor) if pattern.is_match(actor) => None,
        Some(_) => Some(format!("actor does not match `{pattern}`")),
        None => Some("no actor".to_owned()),
    }
}

fn unbounded(client: &Client, record: &Record) -> Option<String> {
    let Some(from) = record.issued_at.or(record.time) else {
        return Some("no time of issue".to_owned());
    };
    let Some(until) = record.expires_at else { return Some("token has no end".to_owned()) };
    if until < from {
        return Some("token ends before it begins".to_owned());
    }
    let life = until.since(from);
    (client.max_token_ttl < life)
        .then(|| format!("token lives {life}, declared are {} at most", client.max_token_ttl))
}

fn inconsistent(expectation: &Expectation, client: &Client, record: &Record) -> Option<String> {
    if let Some(scope) = record.scopes.iter().find(|it| !client.scopes.contains(*it)) {
        return Some(format!("scope `{scope}` is not declared"));
    }
    match (&expectation.grant, &record.grant) {
        (Some(declared), Some(grant))
            if declared != grant && !(client.refresh && grant == "refresh_token") =>
        {
            return Some(format!("grant `{grant}`, declared is `{declared}`"));
        }
        (Some(_), None) => return Some("no grant".to_owned()),
        _ => {}
    }
    if !expectation.networks.is_empty() {
        match record.ip.map(unmapped) {
            Some(ip) if expectation.networks.iter().any(|it| it.contains(&ip)) => {}
            Some(_) => return Some("address outside the declared networks".to_owned()),
            None => return Some("no address".to_owned()),
        }
    }
    let hours = expectation.hours.as_ref()?;
    match record.time {
        Some(time) if hours.contains(time) => None,
        Some(time) => Some(format!("at {time}, outside the declared hours")),
        None => Some("no time".to_owned()),
    }
}

/// An IPv4 address that was written as IPv6.
fn unmapped(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(it) => it.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

/// Token ids that one log has and the other lacks, in order, at most 100.
pub fn missing(from: &BTreeSet<String>, has: &BTreeSet<String>) -> Vec<String> {
    has.difference(from).take(SHOWN_MAX).cloned().collect()
}
