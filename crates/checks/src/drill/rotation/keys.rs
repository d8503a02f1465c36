//! The keys that a partner publishes: by name, and by what they are.

use countersign_seal::{Digest, digest_of};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One published key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PublishedKey {
    /// The name under which it is published.
    pub(crate) kid: String,
    /// A digest of the key itself: a new name for an old key is no new key.
    pub(crate) key: String,
}

/// How many keys are read.
const KEYS_MAX: usize = 100;
/// What makes a public key what it is (RFC 7638, section 3.2; RFC 8037, section 2).
const MATERIAL: [&str; 6] = ["crv", "e", "kty", "n", "x", "y"];

/// Reads a published set; nothing where it cannot be read.
pub(crate) fn read(body: &[u8]) -> Option<Vec<PublishedKey>> {
    let set: Value = serde_json::from_slice(body).ok()?;
    let listed = set.get("keys")?.as_array()?;
    if KEYS_MAX < listed.len() {
        return None;
    }
    let mut keys = listed.iter().map(one).collect::<Option<Vec<_>>>()?;
    keys.sort();
    Some(keys)
}

fn one(jwk: &Value) -> Option<PublishedKey> {
    let members = jwk.as_object()?;
    let material: Map<String, Value> = MATERIAL
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), members.get(name)?.clone())))
        .collect();
    let digest: Digest = digest_of(&material).ok()?;
    let key = digest.hex()[..16].to_owned();
    let kid = members.get("kid").and_then(Value::as_str);
    Some(PublishedKey { kid: kid.unwrap_or_default().to_owned(), key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_it_is_whatever_it_is_called() {
        let of = |text: &str| read(text.as_bytes());
        let key = |kid: &str, x: &str| {
            format!(
                r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{kid}","use":"sig"}}]}}"#
            )
        };
        let first = of(&key("a", "AAAA")).unwrap();
        let renamed = of(&key("b", "AAAA")).unwrap();
        let other = of(&key("a", "BBBB")).unwrap();
        assert_eq!((first[0].kid.as_str(), renamed[0].kid.as_str()), ("a", "b"));
        assert_eq!(first[0].key, renamed[0].key);
        assert_ne!(first[0].key, other[0].key);
        for text in ["", "[]", "{}", r#"{"keys":[1]}"#, r#"{"keys":{}}"#, "not json"] {
            assert_eq!(of(text), None, "reading {text:?}");
        }
        assert_eq!(of(r#"{"keys":[]}"#), Some(Vec::new()));
    }
}
