//! Judges a log line by line, in bounded memory.

use std::collections::BTreeMap;

use countersign_model::time::{Period, Timestamp};

use super::rate::Rate;
use super::record::{LineError, Record, Told};
use super::report::{Found, Place, Report};
use super::rules::{Client, Expectation, unbounded};
use super::sequence::Numbers;
use super::tokens::{Token, Tokens, Use, key};

/// How far a clock may go back before it is told.
const CLOCK_TOLERANCE: Period = Period::from_seconds(2);
/// A log may write the end of a token in whole seconds.
const SECOND: Period = Period::from_seconds(1);

/// Judges a log line by line, in bounded memory.
#[derive(Debug)]
pub struct Judge<'a> {
    expectation: &'a Expectation,
    report: Report,
    sources: Vec<String>,
    place: Place,
    clients: BTreeMap<String, Seen>,
    tokens: Tokens,
    tells: bool,
}

/// What was seen of one client.
#[derive(Debug, Default)]
struct Seen {
    numbers: Numbers,
    rate: Option<Rate>,
    first_request: Option<Timestamp>,
    latest: Option<(Timestamp, Place)>,
}

impl<'a> Judge<'a> {
    /// A judge that has seen nothing.
    pub fn new(expectation: &'a Expectation) -> Self {
        Self {
            expectation,
            report: Report::default(),
            sources: vec![String::new()],
            place: Place::default(),
            clients: BTreeMap::new(),
            tokens: Tokens::default(),
            tells: false,
        }
    }

    /// From now on a failing line is told with its time and the beginning of its token's id, for those
    /// who have the log in another form.
    pub(super) fn telling(&mut self) {
        self.tells = true;
    }

    /// From now on lines come from this file; its first line is line 1.
    pub fn source(&mut self, name: &str) {
        self.sources.push(name.to_owned());
        let source = u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX);
        self.place = Place { source, line: 0 };
        for seen in self.clients.values_mut() {
            // Two files may come from two machines.
            seen.latest = None;
        }
    }

    /// Takes one line in. A line that cannot be read is counted, located and kept.
    pub fn line(&mut self, line: &[u8]) {
        self.place.line += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        self.take(&Record::parse(line.trim_ascii()));
    }

    /// A part of a file that cannot be read, after the last line that was taken in.
    pub fn unreadable(&mut self, why: &str) {
        let place = self.shown(self.place);
        self.report.unreadable.add(1, || format!("after {place}: {why}"));
    }

    /// Takes a line in that was read before; its number is the caller's to keep.
    pub(super) fn take_at(&mut self, number: u64, record: &Result<Record<'_>, LineError>) {
        self.place.line = number;
        self.take(record);
    }

    /// A request from before the time that is judged: its token is known, and nothing else.
    pub(super) fn remember(&mut self, record: &Record<'_>) {
        if record.granted && record.told() == Told::Request {
            self.issued(record);
        }
    }

    fn take(&mut self, record: &Result<Record<'_>, LineError>) {
        self.report.lines += 1;
        match record {
            Ok(record) => self.record(record),
            Err(LineError::NoEvent) => self.report.aside += 1,
            Err(error) => {
                let place = self.shown(self.place);
                self.report.unreadable.add(1, || format!("{place}: {error}"));
            }
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        let expectation = self.expectation;
        let told = record.told();
        if told == Told::Aside {
            self.report.aside += 1;
            return;
        }
        let Some(id) = record.client_id.as_deref() else {
            let reason = self.reason("no client_id");
            self.report.attributable.count(Some(reason));
            return;
        };
        let Some(client) = expectation.client(id) else {
            self.report.others += 1;
            return;
        };
        self.clock(id, record);
        if let Some(number) = record.sequence {
            self.number(id, number);
        } else if record.unreadable.contains("seq") {
            let reason = self.reason("seq cannot be read");
            self.report.unreadable.add(1, || reason);
        }
        if told == Told::Revocation {
            self.report.revocations += 1;
            self.revoked(record);
            return;
        }
        if !record.granted {
            self.report.refused += 1;
            return;
        }
        let is_known =
            key(record).and_then(|it| self.tokens.get(it)).is_some_and(|it| it.is_issued);
        // The first line of a token may tell of both its request and a use.
        if told == Told::Request || (record.tells_of_issue() && !is_known) {
            self.request(id, client, record);
        }
        if told == Told::Use {
            self.used(client, record);
        }
    }

    fn request(&mut self, id: &str, client: &Client, record: &Record<'_>) {
        let expectation = self.expectation;
        let place = self.here(record);
        let with_place = |it: Option<String>| it.map(|it| format!("{place}: {it}"));
        let before = key(record).and_then(|it| self.tokens.get(it));
        let revoked = before
            .zip(record.time)
            .and_then(|(token, time)| too_late(token, time, expectation.deny_within));
        let report = &mut self.report;
        report.requests += 1;
        report.first = report.first.into_iter().chain(record.time).min();
        report.last = report.last.into_iter().chain(record.time).max();
        report.attributable.count(with_place(expectation.unattributed(record)));
        match record.cannot("expires_at").filter(|_| record.expires_at.is_none()) {
            Some(why) => untold(report, record, why),
            None => report.time_bounded.count(with_place(unbounded(client, record).or(revoked))),
        }
        let outside = expectation.outside(client, record);
        let is_clean = outside.is_none();
        report.consistent.count(with_place(outside));
        let seen = self.clients.entry(id.to_owned()).or_default();
        if let Some(time) = record.time {
            if let Some(limit) = expectation.max_per_hour {
                let rate = seen.rate.get_or_insert_with(|| Rate::new(limit.into()));
                rate.count(time, is_clean, self.place);
            }
            seen.first_request = seen.first_request.into_iter().chain([time]).min();
        }
        self.issued(record);
    }

    fn issued(&mut self, record: &Record<'_>) {
        let Some(key) = key(record) else { return };
        let token = self.tokens.entry(key, record.time);
        token.is_issued = true;
        token.ends_at = record.expires_at.or(token.ends_at);
        token.revoked_at = token.revoked_at.into_iter().chain(record.revoked_at).min();
        let token = *token;
        self.check_last_use(key, &token);
    }

    fn revoked(&mut self, record: &Record<'_>) {
        let (Some(key), Some(time)) = (key(record), record.time) else { return };
        let token = self.tokens.entry(key, record.time);
        token.revoked_at = Some(token.revoked_at.map_or(time, |it| it.min(time)));
        let token = *token;
        self.check_last_use(key, &token);
    }

    fn used(&mut self, client: &Client, record: &Record<'_>) {
        self.report.uses += 1;
        let outside = self.expectation.used_outside(client, record);
        let place = self.here(record);
        let outside = outside.map(|it| format!("{place}: {it}"));
        self.report.used_as_declared.count(outside);
        let Some(key) = key(record) else {
            let reason = format!("{place}: no token_id");
            self.report.used_in_time.count(Some(reason));
            return;
        };
        let token = self.tokens.entry(key, record.time);
        if token.ends_at.is_none() {
            token.ends_at = record.expires_at;
        }
        let Some(time) = record.time else {
            let reason = format!("{place}: no time");
            self.report.used_in_time.count(Some(reason));
            return;
        };
        let here = Use { time, place: self.place };
        token.first_use = token.first_use.or(Some(here));
        if token.last_use.is_none_or(|it| it.time < time) {
            token.last_use = Some(here);
        }
        let late = too_late(token, time, self.expectation.deny_within);
        token.is_told |= late.is_some();
        let late = late.map(|it| format!("{place}: {it}"));
        self.report.used_in_time.count(late);
    }

    /// A log may tell of a use first, and of the token's end later.
    fn check_last_use(&mut self, key: super::tokens::Key, token: &Token) {
        let Some(last) = token.last_use.filter(|_| !token.is_told) else { return };
        if let Some(late) = too_late(token, last.time, self.expectation.deny_within) {
            let place = self.shown(last.place);
            self.report.used_in_time.take_back(1, format!("{place}: {late}"));
            self.tokens.entry(key, None).is_told = true;
        }
    }

    fn number(&mut self, client: &str, number: u64) {
        let seen = self.clients.entry(client.to_owned()).or_default();
        if !seen.numbers.insert(number) {
            let place = self.shown(self.place);
            self.report.gaps.add(1, || format!("{place}: number {number} comes twice"));
        }
    }

    fn clock(&mut self, client: &str, record: &Record<'_>) {
        let Some(time) = record.time else { return };
        let here = self.place;
        let seen = self.clients.entry(client.to_owned()).or_default();
        let before = seen.latest.filter(|it| time < it.0);
        if before.is_none() {
            seen.latest = Some((time, here));
        }
        if let Some((latest, place)) = before.filter(|it| CLOCK_TOLERANCE < it.0.since(time)) {
            let (here, place) = (self.shown(here), self.shown(place));
            let back = latest.since(time);
            self.report.clock.add(1, || format!("{here}: {back} earlier than {place}"));
        }
    }

    /// The report, when every line was taken in.
    pub fn finish(mut self) -> Report {
        let expectation = self.expectation;
        let mut gaps = std::mem::take(&mut self.report.gaps);
        let mut clients = std::mem::take(&mut self.clients);
        for (client, seen) in &mut clients {
            missing_numbers(client, &seen.numbers, &mut gaps);
            if let Some(limit) = expectation.max_per_hour {
                for over in seen.rate.as_mut().map(Rate::finish).unwrap_or_default() {
                    let place = self.shown(over.place);
                    let wrong =
                        format!("{place}: more than {limit} requests in an hour (max_per_hour)");
                    self.report.consistent.take_back(over.count, wrong);
                }
            }
            self.report.cut |= seen.numbers.cut || seen.rate.as_ref().is_some_and(|it| it.cut);
        }
        self.clients = clients;
        self.report.gaps = gaps;
        self.report.cut |= self.tokens.cut;
        self.find_orphans();
        self.report
    }

    /// A token may have been issued before the log begins; later on its request has to be there.
    fn find_orphans(&mut self) {
        let longest = self.expectation.longest_life();
        let begins = self.clients.values().filter_map(|it| it.first_request).min();
        let Some(begins) = begins.filter(|_| !self.tokens.cut) else { return };
        let orphans = self.tokens.all().filter(|it| !it.is_issued).filter_map(|it| it.first_use);
        let orphans: Vec<Use> = orphans.filter(|it| begins + longest < it.time).collect();
        for orphan in orphans {
            let place = self.shown(orphan.place);
            self.report.orphans.add(1, || {
                format!("{place}: a token is used, and its request is nowhere in the log")
            });
        }
    }

    fn reason(&self, reason: &str) -> String {
        format!("{}: {reason}", self.shown(self.place))
    }

    /// This line, and where it is told, what else it can be found by.
    fn here(&self, record: &Record<'_>) -> String {
        let place = self.shown(self.place);
        if !self.tells {
            return place;
        }
        let token = record.token().unwrap_or_default();
        let token: String = token.chars().filter(|it| !it.is_control()).take(8).collect();
        let time = record.time.map_or_else(|| "no time".to_owned(), |it| it.to_string());
        format!("{place} ({time}, token {token}…)")
    }

    fn shown(&self, place: Place) -> String {
        let source = usize::try_from(place.source).ok().and_then(|it| self.sources.get(it));
        match source.map(String::as_str) {
            None | Some("") => format!("line {}", place.line),
            Some(name) => format!("{name}:{}", place.line),
        }
    }
}

/// What is asked for is nothing that the source of this line tells.
fn untold(report: &mut Report, record: &Record<'_>, why: &str) {
    report.time_bounded.untold += 1;
    let format = record.format.map(|it| it.name).unwrap_or_default();
    *report.untold.entry(format!("{format}: {why}")).or_default() += 1;
}

/// Why a use comes too late.
fn too_late(token: &Token, time: Timestamp, deny_within: Period) -> Option<String> {
    if let Some(end) = token.ends_at.filter(|it| *it + SECOND <= time) {
        return Some(format!("used {} after its end", time.since(end)));
    }
    let revoked = token.revoked_at.filter(|it| *it + deny_within.max(SECOND) <= time)?;
    Some(format!("used {} after it was revoked", time.since(revoked)))
}

fn missing_numbers(client: &str, numbers: &Numbers, gaps: &mut Found) {
    for (from, to) in numbers.gaps() {
        gaps.add((to - from).saturating_add(1), || {
            if from == to {
                format!("{client}: number {from} is missing")
            } else {
                format!("{client}: numbers {from} to {to} are missing")
            }
        });
    }
}
