//! A client's token requests around a rotation, key by key.

use std::collections::BTreeMap;

use countersign_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::log::record::LINE_BYTES_MAX;

/// How many refused requests are shown one by one.
const SHOWN_MAX: usize = 20;
/// How many keys are counted.
const KEYS_MAX: usize = 200;
/// Refusals that have nothing to do with a key: the request asked for what it may not have.
const NOT_ABOUT_KEYS: [&str; 5] = [
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "slow_down",
];

/// The token requests of one client around a rotation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Requests {
    /// By the name of the key that signed them.
    pub(crate) by_key: BTreeMap<String, Counts>,
    /// Refused while the rotation was under way, the first of them.
    pub(crate) refused: Vec<Refused>,
    /// Lines that could not be read.
    pub(crate) unreadable: u64,
}

/// How many requests one key signed, and how they went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Granted before it began.
    pub(crate) before: u64,
    /// Granted between start and finish.
    pub(crate) during: u64,
    /// Refused between start and finish, for a reason that a rotation can cause.
    pub(crate) refused: u64,
    /// Granted after the finish.
    pub(crate) after: u64,
    /// When the last one was granted, in milliseconds after the start.
    pub(crate) last_ms: i64,
}

/// One line of the log, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Line {
    time: Timestamp,
    result: String,
    #[serde(default, deserialize_with = "text")]
    kid: String,
    #[serde(default)]
    gate: Option<String>,
}

impl Line {
    fn parse(line: &[u8]) -> Option<Self> {
        if LINE_BYTES_MAX < line.len() { None } else { serde_json::from_slice(line).ok() }
    }
}

/// A text that may be `null`.
fn text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(from)?.unwrap_or_default())
}

/// One request that was refused while the rotation was under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refused {
    /// When, in milliseconds after the start.
    pub(crate) after_ms: i64,
    /// The key that signed it.
    pub(crate) kid: String,
    /// The error code.
    pub(crate) result: String,
}

impl Requests {
    /// Reads a platform's log of one client's token requests, as JSON lines.
    pub(crate) fn read(log: &[u8], start: Timestamp, finish_ms: u64) -> Self {
        let finish = i64::try_from(finish_ms).unwrap_or(i64::MAX);
        let mut requests = Self::default();
        for line in log.split(|it| *it == b'\n').filter(|it| !it.trim_ascii().is_empty()) {
            match Line::parse(line) {
                Some(line) => {
                    let after_ms = line.time.millis().saturating_sub(start.millis());
                    requests.count(after_ms, finish, line);
                }
                None => requests.unreadable += 1,
            }
        }
        requests
    }

    fn count(&mut self, after_ms: i64, finish: i64, line: Line) {
        if KEYS_MAX <= self.by_key.len() && !self.by_key.contains_key(&line.kid) {
            self.unreadable += 1;
            return;
        }
        let counts = self.by_key.entry(line.kid.clone()).or_default();
        if line.result == "granted" {
            let counter = match after_ms {
                it if it < 0 => &mut counts.before,
                it if it < finish => &mut counts.during,
                _ => &mut counts.after,
            };
            *counter += 1;
            counts.last_ms = counts.last_ms.max(after_ms);
            return;
        }
        let about_keys = line.gate.is_none() && !NOT_ABOUT_KEYS.contains(&line.result.as_str());
        if about_keys && (0..finish).contains(&after_ms) {
            counts.refused += 1;
            if self.refused.len() < SHOWN_MAX {
                self.refused.push(Refused { after_ms, kid: line.kid, result: line.result });
            }
        }
    }

    /// How many were granted after the finish.
    pub(crate) fn after(&self) -> u64 {
        self.by_key.values().map(|it| it.after).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_key_and_phase() {
        let start: Timestamp = "2026-11-24T03:00:10Z".parse().unwrap();
        let log = r#"
{"time":"2026-11-24T03:00:09.000Z","kid":"a","result":"granted"}
{"time":"2026-11-24T03:00:10.500Z","kid":"a","result":"granted"}
{"time":"2026-11-24T03:00:11.000Z","kid":"b","result":"granted","gate":"outside-hours"}
{"time":"2026-11-24T03:00:12.000Z","kid":"a","result":"invalid_client"}
{"time":"2026-11-24T03:00:12.100Z","kid":"b","result":"invalid_scope"}
{"time":"2026-11-24T03:00:12.200Z","kid":"b","result":"unauthorized_client","gate":"suspended"}
{"time":"2026-11-24T03:00:15.000Z","kid":"a","result":"invalid_client"}
{"time":"2026-11-24T03:00:15.100Z","kid":"b","result":"granted"}
nonsense
{"kid":"b","result":"granted"}
"#;
        let requests = Requests::read(log.as_bytes(), start, 4_000);
        let shown: Vec<String> = requests
            .by_key
            .iter()
            .map(|(kid, it)| {
                format!(
                    "{kid}: before {} during {} refused {} after {} last {}",
                    it.before, it.during, it.refused, it.after, it.last_ms
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        a: before 1 during 1 refused 1 after 0 last 500
        b: before 0 during 1 refused 0 after 1 last 5100
        ");
        assert_eq!((requests.refused.len(), requests.unreadable), (1, 2));
        assert_eq!(requests.refused[0].result, "invalid_client");
    }
}
