//! The digest of a manifest: what certificates are bound to.
//!
//! Comments, spacing, the order of keys, of tables that have a name and of lists that are sets
//! never matter; everything that is written does, `x-*` keys included. Nothing is filled in.
//!
//! Source: RFC 8785, and `spec/manifest.md`.

use countersign_seal::{CanonicalError, Digest, canonical_json, digest_of};
use serde_json::{Map, Value};

use super::shape::is_extension;

/// Lists whose order and repetitions say nothing.
pub const SETS: [&str; 14] = [
    "data_classes",
    "fields",
    "grants",
    "holds",
    "images",
    "may_cause",
    "must_carry",
    "networks",
    "on",
    "repositories",
    "revoke_by",
    "scopes",
    "types",
    "uses",
];

/// The digest of a manifest as it was written.
pub fn digest(written: &Value) -> Result<Digest, CanonicalError> {
    digest_of(&canonical(written))
}

/// The bytes that [`digest`] hashes.
pub fn canonical_bytes(written: &Value) -> Result<Vec<u8>, CanonicalError> {
    canonical_json(&canonical(written))
}

/// The manifest with its tables and sets in one order.
pub fn canonical(written: &Value) -> Value {
    ordered(written, "", Region::Known)
}

/// Whether the format knows the meaning of a list, or only the partner does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Region {
    Known,
    Extension,
}

fn ordered(value: &Value, key: &str, region: Region) -> Value {
    match value {
        Value::Object(members) => {
            let each = |(key, it): (&String, &Value)| {
                let inner = if is_extension(key) { Region::Extension } else { region };
                (key.clone(), ordered(it, key, inner))
            };
            Value::Object(members.iter().map(each).collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(|it| ordered(it, key, region)).collect();
            let tables = !items.is_empty() && items.iter().all(Value::is_object);
            if region == Region::Known && is_set(key) {
                items.sort_by_cached_key(text);
                items.dedup();
            } else if tables && (region == Region::Known || items.iter().all(has_id)) {
                items.sort_by_cached_key(|it| (name_of(it).map(str::to_owned), text(it)));
            }
            Value::Array(items)
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn is_set(key: &str) -> bool {
    SETS.contains(&key)
}

/// What an entry of a list of tables is called: its `id`, else its `name`.
pub(super) fn name_of(table: &Value) -> Option<&str> {
    table.get("id").or_else(|| table.get("name")).and_then(Value::as_str)
}

fn has_id(table: &Value) -> bool {
    table.get("id").is_some_and(Value::is_string)
}

fn text(value: &Value) -> Vec<u8> {
    // What cannot be written is refused when the whole is hashed.
    canonical_json(value).unwrap_or_default()
}
