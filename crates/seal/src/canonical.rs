//! Canonical JSON: one sequence of bytes for one meaning.
//!
//! Source: RFC 8785 (JSON Canonicalization Scheme), without floating-point numbers.

use serde::Serialize;
use serde_json::Value;

use crate::digest::Digest;

/// The canonical JSON of `value`.
///
/// Refuses floating-point numbers and integers beyond 2^53 - 1: documents that are signed hold
/// neither, since readers disagree about them.
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let text = serde_json::to_vec(value).map_err(CanonicalError::Unserializable)?;
    let tree = crate::json::parse(&text).map_err(CanonicalError::Ambiguous)?;
    refuse_numbers(&tree, &mut Vec::new())?;
    serde_json_canonicalizer::to_vec(&tree).map_err(CanonicalError::Unserializable)
}

/// The digest of the canonical JSON of `value`.
pub fn digest_of<T: Serialize + ?Sized>(value: &T) -> Result<Digest, CanonicalError> {
    canonical_json(value).map(|bytes| Digest::of(&bytes))
}

/// Why a value has no canonical JSON.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// A member stands twice, or the value is nested too deeply for readers.
    #[error("value has no single JSON form")]
    Ambiguous(#[source] serde_json::Error),
    /// A floating-point number.
    #[error("`{at}` is a floating-point number; signed documents hold none")]
    Float {
        /// Where it stands, as a JSON pointer.
        at: String,
    },
    /// An integer that readers would round.
    #[error("`{at}` is an integer beyond 2^53 - 1")]
    IntegerTooLarge {
        /// Where it stands, as a JSON pointer.
        at: String,
    },
    /// The value cannot be written as JSON at all.
    #[error("value cannot be written as JSON")]
    Unserializable(#[source] serde_json::Error),
}

fn refuse_numbers(value: &Value, path: &mut Vec<String>) -> Result<(), CanonicalError> {
    match value {
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            match magnitude {
                None => Err(CanonicalError::Float { at: pointer(path) }),
                Some(magnitude) if INTEGER_MAX < magnitude => {
                    Err(CanonicalError::IntegerTooLarge { at: pointer(path) })
                }
                Some(_) => Ok(()),
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                refuse_numbers(item, path)?;
                path.pop();
            }
            Ok(())
        }
        Value::Object(members) => {
            for (name, member) in members {
                path.push(name.replace('~', "~0").replace('/', "~1"));
                refuse_numbers(member, path)?;
                path.pop();
            }
            Ok(())
        }
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

fn pointer(path: &[String]) -> String {
    path.iter().fold(String::new(), |pointer, step| pointer + "/" + step)
}

/// The largest integer that every JSON reader keeps exact (RFC 7493, section 2.2).
const INTEGER_MAX: u64 = (1 << 53) - 1;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_and_spacing_do_not_matter() {
        let one: Value =
            serde_json::from_str(r#"{"b": [1, -2], "a": "é\u000a", "€": {}}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"€":{},"a":"é\n","b":[1,-2]}"#).unwrap();
        assert_eq!(canonical_json(&one).unwrap(), r#"{"a":"é\n","b":[1,-2],"€":{}}"#.as_bytes());
        assert_eq!(digest_of(&one).unwrap(), digest_of(&two).unwrap());
    }

    #[test]
    fn members_are_sorted_by_utf_16_code_units() {
        // U+1F600 is the surrogate pair D83D DE00, which stands before U+FB33.
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2});
        assert_eq!(
            String::from_utf8(canonical_json(&value).unwrap()).unwrap(),
            "{\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }

    #[test]
    fn numbers_that_readers_round_are_refused() {
        for (value, message) in [
            (json!({"a": {"b/c": [0, 1.5]}}), "`/a/b~1c/1` is a floating-point number"),
            (json!(9_007_199_254_740_992_u64), "`` is an integer beyond 2^53 - 1"),
            (json!({"n": -9_007_199_254_740_992_i64}), "`/n` is an integer beyond 2^53 - 1"),
        ] {
            let error = canonical_json(&value).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(canonical_json(&json!(9_007_199_254_740_991_u64)).is_ok());
    }

    #[test]
    fn a_member_that_stands_twice_is_refused() {
        #[derive(Serialize)]
        struct Outer {
            id: u8,
            #[serde(flatten)]
            rest: std::collections::BTreeMap<&'static str, u8>,
        }
        let outer = |name| Outer { id: 1, rest: [(name, 2)].into() };
        assert!(matches!(canonical_json(&outer("id")), Err(CanonicalError::Ambiguous(_))));
        assert_eq!(canonical_json(&outer("ie")).unwrap(), br#"{"id":1,"ie":2}"#);
    }
}
