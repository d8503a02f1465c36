//! One normal record for every log format.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use countersign_model::time::Timestamp;
use serde_json::Value;

use super::moment::moment;

/// One token request, or one use of a token, as a log tells it. What the log does not tell is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// When it happened.
    pub time: Option<Timestamp>,
    /// Who asked.
    pub client_id: Option<String>,
    /// The token's id.
    pub token_id: Option<String>,
    /// A digest of the token.
    pub token_hash: Option<String>,
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
    /// From when the token no longer counts, although it has not ended.
    pub revoked_at: Option<Timestamp>,
    /// The running number of the client's request.
    pub sequence: Option<u64>,
    /// What was done: a method, or a word of the partner's own.
    pub action: Option<String>,
    /// With what it was done: a path, or a name of the partner's own.
    pub resource: Option<String>,
    /// Whether it was granted.
    pub granted: bool,
    /// Members that are there and cannot be read.
    pub unreadable: BTreeSet<&'static str>,
    /// Everything else that the line carries, as text.
    pub fields: BTreeMap<String, String>,
}

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A request for a token.
    Request,
    /// A token's end before its time.
    Revocation,
    /// A use of a token; it may tell of the request as well.
    Use,
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
    /// It is not text.
    #[error("line is not UTF-8 from byte {0} on")]
    NotText(usize),
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
        let text =
            std::str::from_utf8(line).map_err(|it| LineError::NotText(it.valid_up_to() + 1))?;
        let opened = memchr::memchr2_iter(b'{', b'[', line).take(DEPTH_MAX + 1).count();
        if DEPTH_MAX < opened && DEPTH_MAX < depth(line) {
            return Err(LineError::TooDeep);
        }
        let value: Value =
            serde_json::from_str(text).map_err(|it| LineError::NotAnObject(problem(&it)))?;
        let Value::Object(members) = value else {
            return Err(LineError::NotAnObject("another kind of value".to_owned()));
        };
        Ok(Self::from_members(members))
    }

    fn from_members(members: serde_json::Map<String, Value>) -> Self {
        let mut record = Self { granted: true, ..Self::default() };
        for (name, value) in members {
            let scopes = words(&value);
            let text = match value {
                Value::Null => continue,
                Value::String(it) if it.trim().is_empty() => continue,
                Value::String(it) => it,
                other => other.to_string(),
            };
            record.member(name, text, scopes);
        }
        record
    }

    fn member(&mut self, name: String, text: String, scopes: Vec<String>) {
        match name.as_str() {
            "time" | "timestamp" | "ts" => self.time = self.moment("time", &text),
            "issued_at" | "iat" => self.issued_at = self.moment("issued_at", &text),
            "expires_at" | "exp" => self.expires_at = self.moment("expires_at", &text),
            "revoked_at" => self.revoked_at = self.moment("revoked_at", &text),
            "client_id" => self.client_id = Some(text),
            "token_id" | "jti" => self.token_id = Some(text),
            "token_hash" | "token_sha256" => self.token_hash = Some(text),
            "actor" => self.actor = Some(text),
            "grant" | "grant_type" => self.grant = Some(text),
            "scope" | "scopes" => self.scopes = scopes,
            "action" | "event" | "event_type" | "type" => {
                self.action = self.action.take().or(Some(text));
            }
            "resource" => self.resource = self.resource.take().or(Some(text)),
            // What was done on the wire says more than a word for it.
            "method" | "path" => {
                let place = if name == "path" { &mut self.resource } else { &mut self.action };
                *place = Some(text.clone());
                self.fields.insert(name, text);
            }
            "ip" | "source_ip" => {
                self.ip = text.parse().ok();
                self.odd("ip", self.ip.is_none());
            }
            "seq" | "sequence" => {
                self.sequence = text.parse().ok();
                self.odd("seq", self.sequence.is_none());
            }
            "result" | "outcome" => self.granted &= is_yes(&text),
            "status" => {
                self.granted &= text.parse().map_or_else(|_| is_yes(&text), |it: u16| it < 400);
                self.fields.insert(name, text);
            }
            _ => {
                self.fields.insert(name, text);
            }
        }
    }

    fn moment(&mut self, name: &'static str, text: &str) -> Option<Timestamp> {
        let found = moment(text);
        self.odd(name, found.is_none());
        found
    }

    fn odd(&mut self, name: &'static str, is_odd: bool) {
        if is_odd {
            self.unreadable.insert(name);
        }
    }

    /// What the line tells of.
    pub fn told(&self) -> Told {
        let action = self.action.as_deref().unwrap_or_default().to_ascii_lowercase();
        let resource = self.resource.as_deref().unwrap_or_default();
        if ["revoke", "revoked", "revocation"].iter().any(|it| action.contains(it)) {
            return Told::Revocation;
        }
        if resource.ends_with("/token") {
            return Told::Request;
        }
        let of_token = action.starts_with("token.") || action.starts_with("token_");
        let asks = match action.as_str() {
            "" => resource.is_empty(),
            "grant" | "granted" | "issuance" | "issue" | "issued" | "mint" | "request"
            | "token" => true,
            _ => of_token && !["use", "introspect"].iter().any(|it| action.contains(it)),
        };
        if asks { Told::Request } else { Told::Use }
    }

    /// Whether a line tells how its token was issued.
    pub fn tells_of_issue(&self) -> bool {
        self.grant.is_some() || self.issued_at.is_some() || self.expires_at.is_some()
    }

    /// What two logs name the same token by: its id, else a digest of it.
    pub fn token(&self) -> Option<&str> {
        self.token_id.as_deref().or(self.token_hash.as_deref())
    }

    /// A field by the name that a manifest uses for it, when it has a value.
    pub fn has(&self, field: &str) -> bool {
        match field {
            "time" => self.time.is_some(),
            "client_id" => self.client_id.is_some(),
            "token_id" => self.token_id.is_some(),
            "token_hash" => self.token_hash.is_some(),
            "actor" => self.actor.is_some(),
            "grant" => self.grant.is_some(),
            "scope" => !self.scopes.is_empty(),
            "ip" => self.ip.is_some(),
            "issued_at" => self.issued_at.is_some(),
            "expires_at" => self.expires_at.is_some(),
            "revoked_at" => self.revoked_at.is_some(),
            "seq" | "sequence" => self.sequence.is_some(),
            "action" | "method" => self.action.is_some(),
            "resource" | "path" => self.resource.is_some(),
            other => self.fields.contains_key(other),
        }
    }
}

/// What is wrong with JSON; the line is the reader's to name.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    format!("{what} at byte {}", error.column())
}

/// The words of a list, or of a text that is one.
fn words(value: &Value) -> Vec<String> {
    let split = |it: &str| it.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    match value {
        Value::String(it) => split(it),
        Value::Array(items) => items.iter().filter_map(Value::as_str).flat_map(split).collect(),
        _ => Vec::new(),
    }
}

fn is_yes(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["allowed", "granted", "issued", "ok", "success", "succeeded", "true"].contains(&text.as_str())
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
        assert_eq!(record.told(), Told::Request);
        let odd = Record::parse(br#"{"time":"yesterday","ip":"here","seq":-1,"scope":["x"]}"#);
        let odd = odd.unwrap();
        assert_eq!(odd.unreadable, BTreeSet::from(["ip", "seq", "time"]));
        assert_eq!(odd.scopes, ["x"]);
    }

    #[test]
    fn a_line_tells_of_a_request_a_use_or_an_end() {
        let table = [
            (r#"{"grant":"client_credentials"}"#, Told::Request),
            (r#"{"action":"token","resource":"/oauth/token"}"#, Told::Request),
            (r#"{"method":"POST","path":"/oauth/token"}"#, Told::Request),
            (r#"{"method":"GET","path":"/v1/users/7","status":200}"#, Told::Use),
            (r#"{"action":"ticket.create","resource":"t-1"}"#, Told::Use),
            (r#"{"action":"token.revoked","token_id":"t"}"#, Told::Revocation),
            (r#"{"event":"revoke","token_id":"t"}"#, Told::Revocation),
            (r#"{"type":"token_used","token_id":"t"}"#, Told::Use),
            (r#"{"type":"access","path":"/v1/users/7"}"#, Told::Use),
            (r#"{"path":"/v1/users/7","status":200}"#, Told::Use),
            (r#"{"event":"token.issued","token_id":"t"}"#, Told::Request),
        ];
        for (line, told) in table {
            assert_eq!(Record::parse(line.as_bytes()).unwrap().told(), told, "{line}");
        }
        let refused = Record::parse(br#"{"method":"GET","path":"/x","status":403}"#).unwrap();
        assert!(!refused.granted);
    }

    #[test]
    fn hostile_lines_are_refused_with_the_reason() {
        let deep = "[".repeat(100_000);
        assert_eq!(Record::parse(deep.as_bytes()), Err(LineError::TooDeep));
        let long = vec![b' '; LINE_BYTES_MAX + 1];
        assert_eq!(Record::parse(&long), Err(LineError::TooLong));
        assert_eq!(Record::parse(b"{\"a\":\"\xff\"}"), Err(LineError::NotText(7)));
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
