//! The talk half of the log checks: fetches what the platform and the partner wrote down, and picks the lines that count.

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Delivery;
use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};
use url::Url;

use super::judge::Judge;
use super::record::{LineError, Record, Told};
use super::report::{Found, Report, Share};
use super::rules::Expectation;
use super::window::{Terms, Times, Window};
use crate::drill::rotation::secret;
use crate::granted::clients;
use crate::live::ask::Ask;
use crate::platform::{Platform, PlatformError};
use crate::talk::Talk;

/// The exchange that shows whether the partner is there.
pub(super) const ALIVE: &str = "alive";
/// How much earlier than the platform's the partner's clock may be.
const CLOCKS: Period = Period::from_seconds(5);

/// What was written down about one integration.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) terms: Terms,
    pub(super) window: Window,
    /// The platform's record of token requests, of all clients, from before the window on.
    pub(super) tokens: Vec<Line>,
    /// The platform's record of token uses inside the window.
    pub(super) access: Vec<Line>,
    /// The partner's own log, or why it cannot be had.
    pub(super) own: Result<Vec<Line>, String>,
}

/// A line that was read, with its number.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) record: Result<Record<'static>, LineError>,
}

/// Which of the three are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// The platform's records alone.
    Platform,
    /// The partner's own log as well.
    Both,
}

/// Reads the logs. That something cannot be read is written down, and there is nothing then.
pub(super) async fn observe(talk: &mut Talk, manifest: &Manifest, need: Need) -> Option<Observed> {
    let platform = talk.platform()?;
    knock(talk, manifest).await;
    let terms = Terms::of(manifest);
    let read = read(platform.as_ref(), manifest, terms, (talk.now(), talk.observed_since())).await;
    let (tokens, access, window) =
        talk.heard("window", read, |(_, _, window)| window.fact(terms))?;
    let own = match need {
        Need::Platform => Ok(Vec::new()),
        Need::Both => own(talk, platform.as_ref(), manifest, window.since - CLOCKS).await,
    };
    Some(Observed { terms, window, tokens, access, own })
}

/// Asks for the partner's published keys: the log of somebody who is not there says nothing about today.
async fn knock(talk: &mut Talk, manifest: &Manifest) {
    let keys = clients(manifest).find_map(|(_, it)| it.jwks.as_ref());
    if talk.transcript().exchange(ALIVE).is_none()
        && let Some(keys) = keys
    {
        talk.send(ALIVE, Ask::get(keys.as_str())).await;
    }
}

type Read = (Vec<Line>, Vec<Line>, Window);

async fn read(
    platform: &dyn Platform,
    manifest: &Manifest,
    terms: Terms,
    (now, begun): (Timestamp, Option<Timestamp>),
) -> Result<Read, PlatformError> {
    let life = manifest.identities.iter().map(|it| it.max_token_ttl).max().unwrap_or_default();
    // Twice the window, to see whether there was something before it; then all that is kept.
    let mut since = now - terms.window.times(2) - life;
    let mut tokens = tokens(platform, manifest, since).await?;
    let mut window = Window::of(times(&tokens), now, terms, begun);
    if window.requests < terms.minimum || !window.is_long_enough {
        since = Timestamp::from_seconds(0);
        tokens = self::tokens(platform, manifest, since).await?;
        window = Window::of(times(&tokens), now, terms, begun);
    }
    let mut access = Vec::new();
    for (_, identity) in clients(manifest) {
        let log = platform.access_log(identity.client_id(), window.since).await?;
        access.extend(lines(&log, identity.client_id()));
    }
    // Once more: what was used by then was issued by then. What was issued so long before the window
    // has ended before it.
    let tokens = self::tokens(platform, manifest, since.max(window.since - life)).await?;
    Ok((tokens, access, window))
}

async fn tokens(
    platform: &dyn Platform,
    manifest: &Manifest,
    since: Timestamp,
) -> Result<Vec<Line>, PlatformError> {
    let mut all = Vec::new();
    for (_, identity) in clients(manifest) {
        let log = platform.token_log(identity.client_id(), since).await?;
        all.extend(lines(&log, identity.client_id()));
    }
    Ok(all)
}

/// The lines of a client's record; one that names nobody is the client's, since it was asked for that.
fn lines(log: &[u8], client: &str) -> Vec<Line> {
    let mut lines = parsed(log);
    for line in &mut lines {
        if let Ok(record) = &mut line.record {
            record.client_id.get_or_insert_with(|| client.to_owned().into());
        }
    }
    lines
}

pub(super) fn parsed(log: &[u8]) -> Vec<Line> {
    let numbered = (1..).zip(log.split(|it| *it == b'\n'));
    let filled = numbered.filter(|(_, it)| !it.trim_ascii().is_empty());
    filled.map(|(number, it)| Line { number, record: owned(it) }).collect()
}

fn owned(line: &[u8]) -> Result<Record<'static>, LineError> {
    Record::parse(line.trim_ascii()).map(Record::into_owned)
}

fn times(lines: &[Line]) -> Times {
    let mut times = Times::default();
    for record in lines.iter().filter_map(|it| it.record.as_ref().ok()) {
        match (record.granted, record.time) {
            _ if record.told() != Told::Request => {}
            (true, Some(time)) => times.granted.push(time),
            (false, Some(time)) => times.refused.push(time),
            (true, None) => times.timeless += 1,
            (false, None) => {}
        }
    }
    times
}

/// The partner's own log: what it pushed, or what it answers.
async fn own(
    talk: &mut Talk,
    platform: &dyn Platform,
    manifest: &Manifest,
    since: Timestamp,
) -> Result<Vec<Line>, String> {
    let logging = &manifest.logging;
    let log = match (logging.delivery, &logging.source) {
        (Delivery::Push, _) => {
            let pushed = platform.pushed_log(&manifest.integration.id).await;
            pushed.map_err(|it| format!("{it}: {}", it.source))?
        }
        (Delivery::Pull, None) => return Err("the manifest names no `logging.source`".to_owned()),
        (Delivery::Pull, Some(source)) => fetch(talk, manifest, source.as_str(), since).await?,
    };
    Ok(parsed(&log))
}

/// Asks the partner for its log. The answer holds people's doings: it is judged, and not kept.
async fn fetch(
    talk: &mut Talk,
    manifest: &Manifest,
    source: &str,
    since: Timestamp,
) -> Result<Vec<u8>, String> {
    let means = talk.means().ok_or("a rehearsal talks to nobody")?;
    let mut url = Url::parse(source).map_err(|it| it.to_string())?;
    url.query_pairs_mut().append_pair("since", &since.to_string());
    let ask = Ask::get(url.as_str()).bearer(secret(manifest, &means.secrets));
    let answer = means.client.send(ask, talk.now()).await;
    if answer.is_success() { Ok(answer.body) } else { Err(answer.words()) }
}

impl Observed {
    /// What the platform's records come to.
    pub(super) fn platform_report(&self, expectation: &Expectation) -> Report {
        let mut judge = Judge::new(expectation);
        judge.telling();
        judge.source("token log");
        for line in &self.tokens {
            match &line.record {
                Ok(record) if self.is_before(record) => judge.remember(record),
                record => judge.take_at(line.number, record),
            }
        }
        judge.source("access log");
        for line in &self.access {
            judge.take_at(line.number, &line.record);
        }
        judge.finish()
    }

    /// What the partner's own log comes to, inside the window.
    pub(super) fn own_report(&self, expectation: &Expectation) -> Option<Report> {
        let mut judge = Judge::new(expectation);
        judge.telling();
        judge.source("own log");
        for line in self.own.as_ref().ok()? {
            match &line.record {
                Ok(record) if self.is_before(record) => {}
                record => judge.take_at(line.number, record),
            }
        }
        Some(judge.finish())
    }

    pub(super) fn is_before(&self, record: &Record<'_>) -> bool {
        record.time.is_some_and(|it| it < self.window.since)
    }
}

/// A share as a fact shows it.
pub(super) fn share_fact(share: &Share) -> Value {
    let mut fact = json!({ "good": share.good, "all": share.all, "failing": share.failing });
    if 0 < share.untold {
        fact["untold"] = share.untold.into();
    }
    fact
}

/// Findings as a fact shows them.
pub(super) fn found_fact(found: &Found) -> Value {
    json!({ "count": found.count, "first": found.first })
}
