//! Holds the partner's own log against the platform's: what one wrote down and the other did not.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use countersign_model::time::{Period, Timestamp};

use super::observe::{Line, Observed};
use super::record::{Record, Told};
use super::report::Found;
use super::sequence::Numbers;
use super::tokens::{Key, key};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Join {
    /// Granted requests inside the window, in the platform's log.
    pub(super) requests: u64,
    /// Those that the partner wrote down too.
    pub(super) found: u64,
    /// Those of them that only client, address and time join.
    pub(super) weak: u64,
    /// Those that may still be on their way.
    pub(super) late: u64,
    /// The rest.
    pub(super) missing: Found,
    /// The longest stretch with requests and without a line of the partner's.
    pub(super) longest: Period,
    /// Tokens that the partner wrote down and the platform did not.
    pub(super) unissued: Found,
    /// Running numbers that nobody wrote down.
    pub(super) nowhere: Found,
}

/// How the two are held against each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) now: Timestamp,
    /// How late a line may be.
    pub(super) max_delay: Period,
    /// Whether the partner numbers its requests.
    pub(super) numbered: bool,
}

/// What the partner wrote down about one client.
#[derive(Debug, Default)]
struct Own {
    tokens: HashSet<Key>,
    /// Lines without a token, by address: each joins one request.
    nameless: HashMap<Option<IpAddr>, Vec<Timestamp>>,
    numbers: Numbers,
}

/// How far apart the clocks of both may be, where nothing but the time joins.
const SKEW: Period = Period::from_seconds(2);

impl Join {
    pub(super) fn of(observed: &Observed, own: &[Line], rules: Rules) -> Self {
        let mut join = Self::default();
        let mut book = own_book(own);
        for (client, mut requests) in by_client(observed) {
            requests.sort_by_key(|it| it.time);
            let own = book.entry(client.clone()).or_default();
            join.requests(&client, &requests, own, (observed, rules));
            if rules.numbered {
                join.numbers(&client, &requests, own, rules.now);
            }
        }
        join.unissued(observed, own, rules);
        join
    }

    /// Each granted request of the window has to be in the partner's log.
    fn requests(
        &mut self,
        client: &str,
        requests: &[&Record<'_>],
        own: &mut Own,
        (observed, rules): (&Observed, Rules),
    ) {
        let counted = requests.iter().filter(|it| it.granted && !observed.is_before(it));
        let counted: Vec<(&Record<'_>, bool)> = counted
            .map(|it| {
                let strong = key(it).is_some_and(|it| own.tokens.contains(&it));
                let weak = !strong && own.takes_nameless(it);
                self.weak += u64::from(weak);
                (*it, strong || weak)
            })
            .collect();
        let last_found = counted.iter().rposition(|it| it.1);
        // A long window can do without its latest part; in a short one only the tail may be late.
        let is_long = rules.max_delay.times(2) <= observed.terms.window;
        let mut stretch: Option<Timestamp> = None;
        let mut before = None;
        for (index, (record, is_found)) in counted.iter().enumerate() {
            self.requests += 1;
            let young = record.time.is_some_and(|it| rules.now < it + rules.max_delay);
            let is_tail = last_found.is_none_or(|it| it < index);
            if *is_found {
                self.found += 1;
                self.measure(stretch.take(), record.time);
                before = record.time;
            } else if young && (is_tail || is_long) {
                self.late += 1;
            } else {
                stretch = stretch.or(before).or(record.time);
                self.measure(stretch, record.time);
                self.missing.add(1, || told(client, record));
            }
        }
    }

    fn measure(&mut self, from: Option<Timestamp>, to: Option<Timestamp>) {
        if let (Some(from), Some(to)) = (from, to) {
            self.longest = self.longest.max(to.since(from));
        }
    }

    /// Between the first and the last number of the window none may be unknown to both.
    fn numbers(&mut self, client: &str, requests: &[&Record<'_>], own: &Own, now: Timestamp) {
        let mut seen = Numbers::default();
        // Two requests of one moment may be written down in either order.
        let settled = requests.iter().filter(|it| it.time.is_none_or(|it| it + SKEW < now));
        let settled: Vec<u64> = settled.filter_map(|it| it.sequence).collect();
        for number in &settled {
            seen.insert(*number);
        }
        for (from, to) in seen.gaps() {
            // Somebody who writes down a million numbers that nobody saw is told so once.
            let unknown: Vec<u64> =
                (from..=to).take(GAP_MAX).filter(|it| !own.numbers.has(*it)).collect();
            for number in unknown {
                self.nowhere.add(1, || format!("{client}: number {number} is in neither log"));
            }
        }
    }

    /// What the partner calls granted has to be in the platform's log.
    fn unissued(&mut self, observed: &Observed, own: &[Line], rules: Rules) {
        let issued: HashSet<Key> = records(&observed.tokens).filter_map(key).collect();
        let known: HashSet<&str> =
            records(&observed.tokens).filter_map(|it| it.client_id.as_deref()).collect();
        let mut told_of = HashSet::new();
        for record in records(own).filter(|it| it.granted && !observed.is_before(it)) {
            let Some(key) = key(record) else { continue };
            let settled = record.time.is_some_and(|it| it + SKEW < rules.now);
            let ours = record.client_id.as_deref().is_some_and(|it| known.contains(it));
            if ours && settled && !issued.contains(&key) && told_of.insert(key) {
                self.unissued
                    .add(1, || told(record.client_id.as_deref().unwrap_or_default(), record));
            }
        }
    }
}

impl Own {
    /// Takes a line without a token that fits this request: same client, same address, inside the token's life.
    fn takes_nameless(&mut self, request: &Record<'_>) -> bool {
        let Some(time) = request.time else { return false };
        let end = request.expires_at.unwrap_or(time) + SKEW;
        let Some(times) = self.nameless.get_mut(&request.ip) else { return false };
        let fits = times.iter().position(|it| time - SKEW <= *it && *it <= end);
        fits.map(|it| times.swap_remove(it)).is_some()
    }
}

fn own_book(own: &[Line]) -> BTreeMap<String, Own> {
    let mut book: BTreeMap<String, Own> = BTreeMap::new();
    for record in records(own) {
        let Some(client) = record.client_id.as_deref() else { continue };
        let entry = book.entry(client.to_owned()).or_default();
        if let Some(number) = record.sequence {
            entry.numbers.insert(number);
        }
        match (key(record), record.time) {
            (Some(key), _) => {
                entry.tokens.insert(key);
            }
            (None, Some(time)) if record.granted => {
                entry.nameless.entry(record.ip).or_default().push(time);
            }
            (None, _) => {}
        }
    }
    book
}

fn by_client(observed: &Observed) -> BTreeMap<String, Vec<&Record<'_>>> {
    let mut clients: BTreeMap<String, Vec<&Record<'_>>> = BTreeMap::new();
    for record in records(&observed.tokens) {
        if record.told() == Told::Request && !observed.is_before(record) {
            let client = record.client_id.as_deref().unwrap_or_default();
            clients.entry(client.to_owned()).or_default().push(record);
        }
    }
    clients
}

pub(super) fn records(lines: &[Line]) -> impl Iterator<Item = &Record<'_>> {
    lines.iter().filter_map(|it| it.record.as_ref().ok())
}

/// A request as a finding names it.
pub(super) fn told(client: &str, record: &Record<'_>) -> String {
    let token = record.token().unwrap_or("unknown");
    let token: String = token.chars().filter(|it| !it.is_control()).take(8).collect();
    let time = record.time.map_or_else(|| "at no time".to_owned(), |it| it.to_string());
    let number = record.sequence.map_or_else(String::new, |it| format!(", number {it}"));
    format!("{client}: {time}, token {token}…{number}")
}

/// How much of one gap is looked at.
const GAP_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::observe::parsed;
    use crate::log::window::{Terms, Times, Window};
    use serde_json::{Value, json};
    use std::fmt::Write as _;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_795_489_000 + second)
    }

    /// One request at each of these seconds, numbered by it; `change` may replace members of one.
    fn log(seconds: &[i64], (changed, member, to): (i64, &str, &Value)) -> Vec<Line> {
        let mut text = String::new();
        for second in seconds {
            let mut line = json!({
                "time": at(*second), "client_id": "a", "token_id": format!("t-{second}"),
                "grant": "client_credentials", "seq": second, "ip": "192.0.2.1",
                "expires_at": at(second + 60), "result": "granted",
            });
            if *second == changed {
                line[member] = to.clone();
            }
            writeln!(text, "{line}").unwrap();
        }
        parsed(text.as_bytes())
    }

    fn plain(seconds: &[i64]) -> Vec<Line> {
        log(seconds, (-1, "", &Value::Null))
    }

    /// Now is second 100, the window 60 seconds long.
    fn join(platform: Vec<Line>, own: &[Line], max_delay: u64) -> String {
        let terms = Terms { window: Period::from_seconds(60), minimum: 3, is_declared: true };
        let granted = records(&platform).filter_map(|it| it.time).collect();
        let window = Window::of(Times { granted, ..Times::default() }, at(100), terms, None);
        let observed =
            Observed { terms, window, tokens: platform, access: Vec::new(), own: Ok(Vec::new()) };
        let max_delay = Period::from_seconds(max_delay);
        let join = Join::of(&observed, own, Rules { now: at(100), max_delay, numbered: true });
        format!(
            "{} of {} found, {} weak, {} late, {} missing, longest {}, {} unissued, {} nowhere",
            join.found,
            join.requests,
            join.weak,
            join.late,
            join.missing.count,
            join.longest,
            join.unissued.count,
            join.nowhere.count,
        )
    }

    #[test]
    fn both_logs_tell_of_the_same_requests() {
        let all = [10, 50, 51, 52, 53, 54];
        let no_token = (52, "token_id", &Value::Null);
        let nameless = |ip: &str| {
            let line = json!({"time": at(52), "client_id": "a", "ip": ip, "seq": 52});
            let mut own = plain(&[50, 51, 53, 54]);
            own.extend(parsed(line.to_string().as_bytes()));
            own
        };
        let refusal = Value::from("invalid_client");
        let refused = (52, "result", &refusal);
        let table = [
            ("same", join(plain(&all), &plain(&all), 1)),
            ("an old gap is over", join(plain(&all), &plain(&all[1..]), 1)),
            ("one missing", join(plain(&all), &plain(&[50, 51, 53, 54]), 1)),
            ("two missing in a row", join(plain(&all), &plain(&[50, 53, 54]), 1)),
            ("the last missing, and late", join(plain(&all), &plain(&[50, 51, 52, 53]), 60)),
            ("the last missing, too old", join(plain(&all), &plain(&[50, 51, 52, 53]), 20)),
            ("everything late", join(plain(&all), &[], 60)),
            ("everything missing", join(plain(&all), &[], 1)),
            ("joined by address and time", join(log(&all, no_token), &nameless("192.0.2.1"), 1)),
            (
                "another address joins nothing",
                join(log(&all, no_token), &nameless("203.0.113.1"), 1),
            ),
            ("platform lost one", join(plain(&[10, 50, 51, 53, 54]), &plain(&all), 1)),
            ("nobody has one", join(plain(&[10, 50, 51, 53, 54]), &plain(&[50, 51, 53, 54]), 1)),
            ("refused, and not in its own", join(log(&all, refused), &plain(&[50, 51, 53, 54]), 1)),
        ];
        let lines: Vec<String> = table.iter().map(|(row, it)| format!("{row}: {it}")).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        same: 5 of 5 found, 0 weak, 0 late, 0 missing, longest 0s, 0 unissued, 0 nowhere
        an old gap is over: 5 of 5 found, 0 weak, 0 late, 0 missing, longest 0s, 0 unissued, 0 nowhere
        one missing: 4 of 5 found, 0 weak, 0 late, 1 missing, longest 2s, 0 unissued, 0 nowhere
        two missing in a row: 3 of 5 found, 0 weak, 0 late, 2 missing, longest 3s, 0 unissued, 0 nowhere
        the last missing, and late: 4 of 5 found, 0 weak, 1 late, 0 missing, longest 0s, 0 unissued, 0 nowhere
        the last missing, too old: 4 of 5 found, 0 weak, 0 late, 1 missing, longest 1s, 0 unissued, 0 nowhere
        everything late: 0 of 5 found, 0 weak, 5 late, 0 missing, longest 0s, 0 unissued, 0 nowhere
        everything missing: 0 of 5 found, 0 weak, 0 late, 5 missing, longest 4s, 0 unissued, 0 nowhere
        joined by address and time: 5 of 5 found, 1 weak, 0 late, 0 missing, longest 0s, 0 unissued, 0 nowhere
        another address joins nothing: 4 of 5 found, 0 weak, 0 late, 1 missing, longest 2s, 0 unissued, 0 nowhere
        platform lost one: 4 of 4 found, 0 weak, 0 late, 0 missing, longest 0s, 1 unissued, 0 nowhere
        nobody has one: 4 of 4 found, 0 weak, 0 late, 0 missing, longest 0s, 0 unissued, 1 nowhere
        refused, and not in its own: 4 of 4 found, 0 weak, 0 late, 0 missing, longest 0s, 0 unissued, 0 nowhere
        "#);
    }
}
