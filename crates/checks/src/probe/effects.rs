//! What really happened: the effect oracle that a manifest names.

use countersign_model::declare::manifest::{Effects, EffectsKind};
use countersign_model::time::{Period, Timestamp};
use serde_json::Value;

use crate::live::ask::{Ask, Received};

/// How much earlier than now a feed is asked for: clocks differ a little.
const BEFORE: Period = Period::from_seconds(30);
/// How many effects are read.
const EFFECTS_MAX: usize = 10_000;

/// What an oracle says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The ids of the deliveries that had an effect, one for each effect.
    Feed(Vec<String>),
    /// The version of the canary object.
    Object(String),
}

impl Seen {
    /// How many effects this delivery had; a canary object does not know.
    pub fn count(&self, id: &str) -> Option<usize> {
        match self {
            Self::Feed(ids) => Some(ids.iter().filter(|it| *it == id).count()),
            Self::Object(_) => None,
        }
    }
}

/// The request that asks an oracle.
pub fn question(effects: &Effects, secret: Option<&str>, since: Timestamp) -> Ask {
    let url = effects.url.as_str();
    let url = match (effects.kind, url::Url::parse(url)) {
        (EffectsKind::Feed, Ok(mut it)) => {
            it.query_pairs_mut().append_pair("since", &(since - BEFORE).to_string());
            it.to_string()
        }
        _ => url.to_owned(),
    };
    Ask::get(url).bearer(secret)
}

/// Reads the answer of an oracle, or says why it cannot be read.
pub fn read(kind: EffectsKind, answer: &Received) -> Result<Seen, String> {
    if !answer.is_success() {
        return Err(answer.words());
    }
    match kind {
        EffectsKind::Feed => feed(&answer.body).map(Seen::Feed),
        EffectsKind::Object => object(&answer.body).map(Seen::Object),
    }
}

fn feed(body: &[u8]) -> Result<Vec<String>, String> {
    let mut ids = Vec::new();
    for (number, line) in (1..).zip(body.split(|it| *it == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if EFFECTS_MAX <= ids.len() {
            return Err(format!("more than {EFFECTS_MAX} effects"));
        }
        let id = serde_json::from_slice::<Value>(line)
            .ok()
            .and_then(|it| it.get("id")?.as_str().map(str::to_owned))
            .ok_or_else(|| format!("line {number} is not an effect {{time, id, effect}}"))?;
        ids.push(id);
    }
    Ok(ids)
}

fn object(body: &[u8]) -> Result<String, String> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "it is not JSON".to_owned())?;
    match value.get("version") {
        Some(Value::String(it)) => Ok(it.clone()),
        Some(Value::Number(it)) => Ok(it.to_string()),
        _ => Err("it has no `version`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Received {
        Received {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
            failure: None,
            took_ms: 0,
        }
    }

    #[test]
    fn a_feed_is_read_line_by_line_or_refused() {
        let body = "{\"time\":\"t\",\"id\":\"a\",\"effect\":\"unlock\"}\n\n{\"id\":\"a\"}\n";
        let seen = read(EffectsKind::Feed, &answer(200, body)).unwrap();
        assert_eq!((seen.count("a"), seen.count("b")), (Some(2), Some(0)));
        for (status, body) in [(200, "ok"), (200, "{}"), (500, ""), (401, body), (200, "[]")] {
            assert!(read(EffectsKind::Feed, &answer(status, body)).is_err(), "{status} {body}");
        }
        let object = read(EffectsKind::Object, &answer(200, "{\"state\":\"x\",\"version\":7}"));
        assert_eq!(object, Ok(Seen::Object("7".to_owned())));
        assert!(read(EffectsKind::Object, &answer(200, "{}")).is_err());
    }
}
