//! Judges a log line by line, in bounded memory.

use std::fmt;

use countersign_model::time::{Period, Timestamp};

use super::examine::{Entry, Examiner, Facts, Kind};
use super::finding::{Among, Answer, Finding, Rule, Wrong};
use super::marks::{Canaries, Marks};
use super::rate::Rate;
use super::record::{LineError, Record, Told};
use super::report::{Found, Place, Report, Share};
use super::rules::Expectation;
use super::seen::Seen;
use super::tokens::{Key, Repeats, Token, Tokens, Use};

/// How far a clock may go back before it is told.
const CLOCK_TOLERANCE: Period = Period::from_seconds(2);
/// A log may write the end of a token in whole seconds.
const SECOND: Period = Period::from_seconds(1);

/// Judges a log line by line, in bounded memory.
#[derive(Debug)]
pub struct Judge<'a> {
    pub(super) expectation: &'a Expectation,
    examiner: Examiner<'a>,
    pub(super) report: Report,
    sources: Vec<String>,
    place: Place,
    pub(super) clients: Vec<Seen>,
    pub(super) tokens: Tokens,
    repeats: Repeats,
    pub(super) marks: Marks,
    pub(super) canaries: Canaries,
    sink: Sink<'a>,
}

/// Who is told of every finding, the first hundred and all others.
#[derive(Default)]
struct Sink<'a>(Option<Box<Listener<'a>>>);

type Listener<'a> = dyn FnMut(&Finding) + 'a;

impl fmt::Debug for Sink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Sink" } else { "no sink" })
    }
}

impl<'a> Judge<'a> {
    /// A judge that has seen nothing.
    pub fn new(expectation: &'a Expectation) -> Self {
        Self {
            expectation,
            examiner: Examiner::new(expectation),
            report: Report::default(),
            sources: vec![String::new()],
            place: Place::default(),
            clients: expectation.clients().iter().map(|_| Seen::default()).collect(),
            tokens: Tokens::living(expectation.longest_life()),
            repeats: Repeats::default(),
            marks: Marks::default(),
            canaries: Canaries::default(),
            sink: Sink::default(),
        }
    }

    /// The same, which tells somebody of every finding as it is made.
    pub fn telling_to(mut self, sink: impl FnMut(&Finding) + 'a) -> Self {
        self.sink = Sink(Some(Box::new(sink)));
        self
    }

    /// The same, which knows from elsewhere where the running numbers of clients begin and end.
    pub fn between(mut self, marks: Marks) -> Self {
        self.marks = marks;
        self
    }

    /// The same, which looks for these tokens of our own requests.
    pub fn looking_for(mut self, canaries: Canaries) -> Self {
        self.canaries = canaries;
        self
    }

    /// What these lines are held against.
    pub(super) fn expectation(&self) -> &'a Expectation {
        self.expectation
    }

    /// From now on a failing line is told with its time and the beginning of its token's id, for those
    /// who have the log in another form.
    pub(super) fn telling(&mut self) {
        self.examiner.hints = true;
    }

    /// From now on lines come from this file; its first line is line 1.
    pub fn source(&mut self, name: &str) {
        self.sources.push(name.to_owned());
        let source = u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX);
        self.place = Place { source, line: 0 };
        for seen in &mut self.clients {
            // Two files may come from two machines.
            seen.latest = None;
        }
    }

    /// Takes one line in. A line that cannot be read is counted, located and kept.
    pub fn line(&mut self, line: &[u8]) {
        self.place.line += 1;
        if let Some(entry) = self.examiner.line(self.place.line, line) {
            self.entry(entry);
        }
    }

    /// A part of a file that cannot be read, after the last line that was taken in.
    pub fn unreadable(&mut self, why: &str) {
        self.found(Rule::Unreadable, self.place, format!("what follows: {why}"));
    }

    /// Takes a line in that was read before; its number is the caller's to keep.
    pub(super) fn take_at(&mut self, number: u64, record: &Result<Record<'_>, LineError>) {
        self.entry(self.examiner.read(number, record));
    }

    /// A request from before the time that is judged: its token is known, and nothing else.
    pub(super) fn remember(&mut self, record: &Record<'_>) {
        if let Kind::Known(facts) = self.examiner.record(record)
            && facts.granted
            && facts.told == Told::Request
        {
            self.issued(&facts);
        }
    }

    /// Takes in what a line came to.
    pub(super) fn entry(&mut self, entry: Entry) {
        self.place.line = entry.line;
        self.report.lines += 1;
        match entry.kind {
            Kind::Unreadable(error) => {
                self.found(Rule::Unreadable, self.place, error.to_string());
            }
            Kind::Aside => self.report.aside += 1,
            Kind::Nameless => {
                self.report.attributable.all += 1;
                let wrong = Wrong { rule: Rule::NamesItsClient, reason: "no client_id".into() };
                self.wrong(wrong, self.place, None);
            }
            Kind::Other => self.report.others += 1,
            Kind::Known(facts) => self.facts(facts),
        }
    }

    fn facts(&mut self, facts: Facts) {
        if facts.event.is_some_and(|it| !self.repeats.insert(it)) {
            self.report.repeated += 1;
            return;
        }
        self.clock(&facts);
        if let Some(number) = facts.sequence {
            self.number(facts.client, number);
        } else if facts.sequence_is_odd {
            self.found(Rule::Unreadable, self.place, "seq cannot be read".to_owned());
        }
        if facts.told == Told::Revocation {
            self.report.revocations += 1;
            self.revoked(&facts);
            return;
        }
        if !facts.granted {
            self.report.refused += 1;
            return;
        }
        if let Some(key) = facts.key {
            self.canaries.seen(key);
        }
        self.firsts(&facts);
        let is_known = facts.key.and_then(|it| self.tokens.get(it)).is_some_and(|it| it.is_issued);
        let mut facts = facts;
        // The first line of a token may tell of both its request and a use.
        if facts.told == Told::Request || (facts.tells_of_issue && !is_known) {
            self.request(&mut facts);
        }
        if facts.told == Told::Use {
            self.used(facts);
        }
    }

    fn request(&mut self, facts: &mut Facts) {
        self.report.requests += 1;
        self.report.first = self.report.first.into_iter().chain(facts.time).min();
        self.report.last = self.report.last.into_iter().chain(facts.time).max();
        let before = facts.key.and_then(|it| self.tokens.get(it));
        let deny_within = self.expectation.deny_within;
        let revoked = before.zip(facts.time).and_then(|(it, at)| too_late(it, at, deny_within));
        let attributed = std::mem::take(&mut facts.attributed);
        let bounded = std::mem::take(&mut facts.bounded)
            .or(|| revoked.map_or(Answer::Good, |it| Answer::Wrong(Box::new(it))));
        let inside = std::mem::take(&mut facts.inside).or(|| moved(before, facts));
        let is_clean = !inside.is_wrong();
        let is_good = is_clean && !attributed.is_wrong() && !bounded.is_wrong();
        self.answer(attributed, facts, (Among::Requests, |it| &mut it.attributable));
        self.answer(bounded, facts, (Among::Requests, |it| &mut it.time_bounded));
        self.answer(inside, facts, (Among::Requests, |it| &mut it.consistent));
        if let Some(time) = facts.time {
            self.report.timeline.count(time, is_good);
            let limit = self.expectation.max_per_hour;
            if let Some(seen) = self.clients.get_mut(facts.client) {
                if let Some(limit) = limit {
                    let rate = seen.rate.get_or_insert_with(|| Rate::new(limit.into()));
                    rate.count(time, is_clean, self.place);
                }
                seen.first_request = seen.first_request.into_iter().chain([time]).min();
            }
        }
        self.issued(facts);
    }

    fn issued(&mut self, facts: &Facts) {
        let Some(key) = facts.key else { return };
        let token = self.token(key, facts.time);
        token.is_issued = true;
        token.ends_at = facts.expires_at.or(token.ends_at);
        token.revoked_at = token.revoked_at.into_iter().chain(facts.revoked_at).min();
        token.network = if token.network == 0 { facts.network } else { token.network };
        let token = *token;
        self.check_last_use(key, &token);
    }

    fn revoked(&mut self, facts: &Facts) {
        let (Some(key), Some(time)) = (facts.key, facts.time) else { return };
        let token = self.token(key, facts.time);
        token.revoked_at = Some(token.revoked_at.map_or(time, |it| it.min(time)));
        let token = *token;
        self.check_last_use(key, &token);
    }

    fn used(&mut self, mut facts: Facts) {
        self.report.uses += 1;
        let before = facts.key.and_then(|it| self.tokens.get(it));
        let inside = std::mem::take(&mut facts.used_inside).or(|| moved(before, &facts));
        let mut is_good = !inside.is_wrong();
        self.answer(inside, &facts, (Among::Uses, |it| &mut it.used_as_declared));
        let late = match (facts.key, facts.time) {
            (None, _) if facts.format == GOOGLE => Answer::Untold("the token is not named"),
            (None, _) => Answer::wrong(Rule::NamesItsToken, "no token_id"),
            (Some(key), time) => self.used_at(key, time, &facts),
        };
        is_good &= !late.is_wrong();
        self.answer(late, &facts, (Among::Uses, |it| &mut it.used_in_time));
        if let Some(time) = facts.time {
            self.report.timeline.count(time, is_good);
        }
    }

    fn used_at(&mut self, key: Key, time: Option<Timestamp>, facts: &Facts) -> Answer {
        let deny_within = self.expectation.deny_within;
        let here = time.map(|time| Use { time, place: self.place });
        let token = self.token(key, time);
        token.ends_at = token.ends_at.or(facts.expires_at);
        token.network = if token.network == 0 { facts.network } else { token.network };
        let Some(here) = here else { return Answer::wrong(Rule::StopsAtTheEnd, "no time") };
        token.first_use = token.first_use.or(Some(here));
        if token.last_use.is_none_or(|it| it.time < here.time) {
            token.last_use = Some(here);
        }
        let late = too_late(token, here.time, deny_within);
        token.is_told |= late.is_some();
        late.map_or(Answer::Good, |it| Answer::Wrong(Box::new(it)))
    }

    /// The token of this key; one that makes room for it may turn out never to have been issued.
    fn token(&mut self, key: Key, now: Option<Timestamp>) -> &mut Token {
        if let Some(dropped) = self.tokens.make_room(key, now) {
            self.orphan(&dropped);
        }
        self.tokens.entry(key)
    }

    /// A log may tell of a use first, and of the token's end later.
    fn check_last_use(&mut self, key: Key, token: &Token) {
        let Some(last) = token.last_use.filter(|_| !token.is_told) else { return };
        if let Some(late) = too_late(token, last.time, self.expectation.deny_within) {
            self.report.used_in_time.good = self.report.used_in_time.good.saturating_sub(1);
            self.tokens.entry(key).is_told = true;
            let told = self.wrong_told(late, last.place, None, (Among::Uses, 1));
            self.report.used_in_time.show(told);
        }
    }

    fn number(&mut self, client: usize, number: u64) {
        let Some(seen) = self.clients.get_mut(client) else { return };
        if !seen.numbers.insert(number) {
            self.found(Rule::LosesNoNumber, self.place, format!("number {number} comes twice"));
        }
    }

    fn clock(&mut self, facts: &Facts) {
        let Some(time) = facts.time else { return };
        let here = self.place;
        let Some(seen) = self.clients.get_mut(facts.client) else { return };
        seen.at(time);
        seen.scopes(facts.scopes, time);
        let before = seen.latest.filter(|it| time < it.0);
        if before.is_none() {
            seen.latest = Some((time, here));
        }
        if let Some((latest, place)) = before.filter(|it| CLOCK_TOLERANCE < it.0.since(time)) {
            let (here, place) = (self.shown(here), self.shown(place));
            let back = latest.since(time);
            self.report.clock.add(1, || format!("{here}: {back} earlier than {place}"));
        }
        if let Some(issued) = facts.issued_at.filter(|it| time + CLOCK_TOLERANCE < *it) {
            let here = self.shown(here);
            let early = issued.since(time);
            self.report.clock.add(1, || format!("{here}: {early} before its token was issued"));
        }
    }

    /// A network or an agent that somebody who is known comes with for the first time.
    fn firsts(&mut self, facts: &Facts) {
        let Some(seen) = self.clients.get_mut(facts.client) else { return };
        let network = seen.is_new_network(facts.network, facts.time);
        let agent = seen.is_new_agent(facts.agent, facts.time);
        for (is_new, what) in [(network, "network"), (agent, "agent")] {
            if is_new {
                let place = self.shown(self.place);
                self.report.firsts.add(1, || format!("{place}: {what} seen for the first time"));
            }
        }
    }

    /// Counts an answer in its share.
    fn answer(&mut self, answer: Answer, facts: &Facts, (among, share): Counted) {
        match answer {
            Answer::Good => {
                let share = share(&mut self.report);
                share.all += 1;
                share.good += 1;
            }
            Answer::Untold(why) => {
                share(&mut self.report).untold += 1;
                let untold = &mut self.report.untold;
                if let Some(count) = untold.get_mut(facts.format).and_then(|it| it.get_mut(why)) {
                    *count += 1;
                } else {
                    let of_format = untold.entry(facts.format.to_owned()).or_default();
                    of_format.insert(why.to_owned(), 1);
                }
            }
            Answer::Wrong(wrong) => {
                let told = self.wrong_told(*wrong, self.place, Some(facts), (among, 1));
                let share = share(&mut self.report);
                share.all += 1;
                share.show(told);
            }
        }
    }

    fn wrong(&mut self, wrong: Wrong, place: Place, facts: Option<&Facts>) {
        let told = self.wrong_told(wrong, place, facts, (Among::Requests, 1));
        self.report.attributable.show(told);
    }

    /// Something about the log as a whole, or a line that belongs to no share.
    pub(super) fn found(&mut self, rule: Rule, place: Place, reason: String) {
        let told =
            self.wrong_told(Wrong { rule, reason: reason.into() }, place, None, (Among::Log, 1));
        let found: &mut Found = match rule {
            Rule::Unreadable => &mut self.report.unreadable,
            Rule::WasIssued => &mut self.report.orphans,
            Rule::ShowsEveryCanary => &mut self.report.missed,
            _ => &mut self.report.gaps,
        };
        found.add(1, || told);
    }

    /// Tells whoever wants every finding, and says it as the report shows it.
    pub(super) fn wrong_told(
        &mut self,
        wrong: Wrong,
        place: Place,
        facts: Option<&Facts>,
        (among, count): (Among, u64),
    ) -> String {
        let hint = facts.and_then(|it| it.hint.as_deref()).unwrap_or_default();
        let told = if place.line == 0 {
            wrong.reason.to_string()
        } else {
            format!("{}{hint}: {}", self.shown(place), wrong.reason)
        };
        *self.report.by_rule.entry(wrong.rule).or_default() += count;
        if let Some(sink) = &mut self.sink.0 {
            let at = facts.map(|it| it.client);
            let source = usize::try_from(place.source).ok().and_then(|it| self.sources.get(it));
            sink(&Finding {
                source: source.cloned().unwrap_or_default(),
                line: place.line,
                among,
                rule: wrong.rule,
                count,
                reason: wrong.reason.into_owned(),
                breaks: breaks(wrong.rule, at),
            });
        }
        told
    }

    fn shown(&self, place: Place) -> String {
        let source = usize::try_from(place.source).ok().and_then(|it| self.sources.get(it));
        match source.map(String::as_str) {
            None | Some("") => format!("line {}", place.line),
            Some(name) => format!("{name}:{}", place.line),
        }
    }
}

/// What an answer is counted among, and its share.
type Counted = (Among, fn(&mut Report) -> &mut Share);

const GOOGLE: &str = "google-cloud-audit";

/// The part of the manifest, with the client's place in it.
fn breaks(rule: Rule, client: Option<usize>) -> String {
    let client = client.unwrap_or_default();
    match rule.breaks().strip_prefix("identity.") {
        Some(rest) => format!("identity[{client}].{rest}"),
        None => rule.breaks().to_owned(),
    }
}

/// Whether a token is seen in another network than before.
fn moved(token: Option<&Token>, facts: &Facts) -> Answer {
    let before = token.map(|it| it.network).unwrap_or_default();
    if before == 0 || facts.network == 0 || before == facts.network {
        return Answer::Good;
    }
    Answer::wrong(Rule::StaysInOneNetwork, "its token was seen in another network before")
}

/// Why a use comes too late.
fn too_late(token: &Token, time: Timestamp, deny_within: Period) -> Option<Wrong> {
    let wrong = |rule, reason: String| Some(Wrong { rule, reason: reason.into() });
    if let Some(end) = token.ends_at.filter(|it| *it + SECOND <= time) {
        return wrong(Rule::StopsAtTheEnd, format!("used {} after its end", time.since(end)));
    }
    let revoked = token.revoked_at.filter(|it| *it + deny_within.max(SECOND) <= time)?;
    let late = time.since(revoked);
    wrong(Rule::StopsWhenRevoked, format!("used {late} after it was revoked"))
}
