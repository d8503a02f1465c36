//! One normal record for every log format.

use std::collections::BTreeMap;
use std::net::IpAddr;

use countersign_model::time::Timestamp;
use serde_json::Value;

/// One token request, or one use of a token, as a log tells it. What the log does not tell is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// When it happened.
    pub time: Option<Timestamp>,
    /// Who asked.
    pub client_id: Option<String>,
    /// The token's id.
    pub token_id: Option<String>,
    /// On whose behalf.
    pub actor: Option<String>,
    /// The OAuth grant type.
    pub grant: Option<String>,
    /// The scopes, as granted.
    pub scopes: Vec<String>,
    /// From where.
    pub ip: Option<IpAddr>,
    /// From when the token counts.
    pub issued_at: Option<Timestamp>,
    /// Until when the token counts.
    pub expires_at: Option<Timestamp>,
    /// The running number of the client's request.
    pub sequence: Option<u64>,
    /// Whether it was granted.
    pub granted: bool,
    /// Everything else that the line carries, as text.
    pub fields: BTreeMap<String, String>,
}

/// A line is not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is longer than a line may be.
    #[error("line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// It is nested deeper than a line may be.
    #[error("line is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// It is not a JSON object.
    #[error("line is not a JSON object: {0}")]
    NotAnObject(String),
}

/// The longest line that is read.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// The deepest nesting that is read.
pub const DEPTH_MAX: usize = 32;

impl Record {
    /// Reads one line of JSON.
    pub fn parse(line: &[u8]) -> Result<Self, LineError> {
        if LINE_BYTES_MAX < line.len() {
            return Err(LineError::TooLong);
        }
        let opened = memchr::memchr2_iter(b'{', b'[', line).take(DEPTH_MAX + 1).count();
        if DEPTH_MAX < opened && DEPTH_MAX < depth(line) {
            return Err(LineError::TooDeep);
        }
        let value: Value =
            serde_json::from_slice(line).map_err(|it| LineError::NotAnObject(it.to_string()))?;
        let Value::Object(members) = value else {
            return Err(LineError::NotAnObject("another kind of value".to_owned()));
        };
        Ok(Self::from_members(members))
    }

    fn from_members(members: serde_json::Map<String, Value>) -> Self {
        let mut record = Self { granted: true, ..Self::default() };
        for (name, value) in members {
            let text = match value {
                Value::Null => continue,
                Value::String(it) if it.is_empty() => continue,
                Value::String(it) => it,
                other => other.to_string(),
            };
            match name.as_str() {
                "time" => record.time = moment(&text),
                "client_id" => record.client_id = Some(text),
                "token_id" => record.token_id = Some(text),
                "actor" => record.actor = Some(text),
                "grant" => record.grant = Some(text),
                "scope" => record.scopes = text.split_whitespace().map(str::to_owned).collect(),
                "ip" => record.ip = text.parse().ok(),
                "issued_at" => record.issued_at = moment(&text),
                "expires_at" => record.expires_at = moment(&text),
                "seq" | "sequence" => record.sequence = text.parse().ok(),
                "result" => record.granted = matches!(text.as_str(), "granted" | "success" | "ok"),
                _ => {
                    record.fields.insert(name, text);
                }
            }
        }
        record
    }

    /// A field by the name that a manifest uses for it, when it has a value.
    pub fn has(&self, field: &str) -> bool {
        match field {
            "time" => self.time.is_some(),
            "client_id" => self.client_id.is_some(),
            "token_id" => self.token_id.is_some(),
            "actor" => self.actor.is_some(),
            "grant" => self.grant.is_some(),
            "scope" => !self.scopes.is_empty(),
            "ip" => self.ip.is_some(),
            "issued_at" => self.issued_at.is_some(),
            "expires_at" => self.expires_at.is_some(),
            "seq" | "sequence" => self.sequence.is_some(),
            other => self.fields.contains_key(other),
        }
    }
}

/// RFC 3339, or seconds or milliseconds since 1970.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        let is_ms = 100_000_000_000 < number.abs();
        return Some(if is_ms {
            Timestamp::from_millis(number)
        } else {
            Timestamp::from_seconds(number)
        });
    }
    text.parse().ok()
}

/// How deep brackets nest, outside strings.
fn depth(line: &[u8]) -> usize {
    let (mut now, mut most, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_becomes_a_record() {
        let line = br#"{"time":"2026-11-24T03:05:11Z","client_id":"a","token_id":"t1","actor":"","scope":"x y","ip":"192.0.2.1","seq":7,"order_id":"o-1","expires_at":1795489811,"result":"refused"}"#;
        let record = Record::parse(line).unwrap();
        assert_eq!(record.sequence, Some(7));
        assert_eq!(record.scopes, ["x", "y"]);
        assert!(record.has("order_id") && !record.has("actor") && !record.granted);
        assert_eq!(record.expires_at, Some(Timestamp::from_seconds(1_795_489_811)));
    }

    #[test]
    fn hostile_lines_are_refused_with_the_reason() {
        let deep = "[".repeat(100_000);
        assert_eq!(Record::parse(deep.as_bytes()), Err(LineError::TooDeep));
        let long = vec![b' '; LINE_BYTES_MAX + 1];
        assert_eq!(Record::parse(&long), Err(LineError::TooLong));
        for line in ["", "[]", "{", "null", "\u{feff}{}", "{\"time\":1e999}"] {
            assert!(Record::parse(line.as_bytes()).is_err(), "parsing {line:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_record_or_a_reason(line in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ignored = Record::parse(&line);
        }
    }
}
