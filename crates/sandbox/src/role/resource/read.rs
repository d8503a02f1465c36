//! From text to header, claims and signature.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_seal::json;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::partner::JwtFault;

/// A token that was read; nothing in it is verified.
pub(super) struct Token {
    pub(super) header: Value,
    pub(super) claims: Value,
    /// What was signed.
    pub(super) input: String,
    pub(super) signature: Vec<u8>,
}

impl Token {
    /// Reads a token in its compact form, or what a fault takes for it.
    pub(super) fn read(text: &str, has: impl Fn(JwtFault) -> bool) -> Option<Self> {
        if TEXT_BYTES_MAX < text.len() {
            return None;
        }
        let is_lenient = has(JwtFault::ReadsTokensLeniently);
        let text = if is_lenient { compact(text) } else { text.to_owned() };
        let parts: Vec<&str> = text.split('.').collect();
        let (header, claims, signature) = match parts.as_slice() {
            [header, claims, signature] => (header, claims, signature),
            [header, claims, signature, ..] if is_lenient => (header, claims, signature),
            _ => return None,
        };
        let input = format!("{header}.{claims}");
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let value = |part: &str| {
            let bytes = bytes(part)?;
            if has(JwtFault::TakesFirstOfDuplicates) {
                return serde_json::from_slice::<First>(&bytes).ok().map(|it| Value::Object(it.0));
            }
            json::parse(&bytes).ok().filter(Value::is_object)
        };
        let (header, claims) = (value(header)?, value(claims)?);
        Some(Self { header, claims, input, signature: bytes(signature)? })
    }

    /// A text of the header.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }
}

/// The header of something that looks like a token.
pub(super) fn header_of(text: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(text.split('.').next()?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// What nearly is a token, as one: other serializations, other letters.
fn compact(text: &str) -> String {
    let text = match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            let first = value.get("signatures").and_then(|it| it.get(0)).unwrap_or(&value);
            let part = |of: &Value, name: &str| {
                of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            format!(
                "{}.{}.{}",
                part(first, "protected"),
                part(&value, "payload"),
                part(first, "signature")
            )
        }
        Err(_) => text.to_owned(),
    };
    let letters = text.replace('+', "-").replace('/', "_");
    letters.chars().filter(|it| it.is_ascii_alphanumeric() || "-_.".contains(*it)).collect()
}

/// A table of which the first of two members counts.
struct First(Map<String, Value>);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = First;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<First, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    members.entry(name).or_insert(value);
                }
                Ok(First(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

const TEXT_BYTES_MAX: usize = 16 * 1024;
