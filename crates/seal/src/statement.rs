//! Statements: what is claimed, and about which digest.
//!
//! Source: in-toto Attestation Framework, Statement v1.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::canonical::{CanonicalError, canonical_json};
use crate::digest::Digest;

/// The DSSE payload type of a statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The `_type` of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// A predicate about one or more subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement<P> {
    #[serde(rename = "_type")]
    kind: StatementType,
    /// What the predicate is about: at least one.
    pub subject: Vec<Subject>,
    /// The URI that says how to read the predicate.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is claimed.
    pub predicate: P,
}

/// Something named by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// A name for people and policies; it identifies nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What identifies it.
    pub digest: SubjectDigest,
}

/// The digests of a subject; others than SHA-256 are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectDigest {
    /// SHA-256, without prefix.
    #[serde(serialize_with = "write_hex", deserialize_with = "read_hex")]
    pub sha256: Digest,
}

impl Subject {
    /// The subject `name` with its digest.
    pub fn new(name: &str, sha256: Digest) -> Self {
        Self { name: Some(name.to_owned()), digest: SubjectDigest { sha256 } }
    }
}

impl<P> Statement<P> {
    /// A statement about `subject`.
    pub fn new(predicate_type: &str, subject: Vec<Subject>, predicate: P) -> Self {
        Self { kind: StatementType, subject, predicate_type: predicate_type.to_owned(), predicate }
    }

    /// Whether the statement is about `digest`.
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.subject.iter().any(|it| it.digest.sha256 == *digest)
    }
}

impl<P: Serialize> Statement<P> {
    /// The canonical bytes to put into an envelope.
    pub fn to_payload(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical_json(self)
    }
}

impl<P: DeserializeOwned> Statement<P> {
    /// Reads a statement with the predicate type that the caller understands.
    pub fn parse(payload: &[u8], predicate_type: &str) -> Result<Self, StatementError> {
        let open: Statement<serde_json::Value> =
            crate::json::parse_as(payload).map_err(StatementError::Malformed)?;
        if open.subject.is_empty() {
            return Err(StatementError::NoSubject);
        }
        if open.predicate_type != predicate_type {
            return Err(StatementError::OtherPredicate { found: open.predicate_type });
        }
        let predicate =
            serde_json::from_value(open.predicate).map_err(StatementError::Malformed)?;
        Ok(Self::new(predicate_type, open.subject, predicate))
    }
}

/// Why bytes are not the statement that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// Not a statement, or its predicate has another shape.
    #[error("not an in-toto statement of this kind")]
    Malformed(#[source] serde_json::Error),
    /// A statement about nothing.
    #[error("statement has no subject")]
    NoSubject,
    /// A statement of another kind.
    #[error("statement has the predicate type `{found}`")]
    OtherPredicate {
        /// The type that it has.
        found: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StatementType;

impl Serialize for StatementType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(STATEMENT_TYPE)
    }
}

impl<'de> Deserialize<'de> for StatementType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if String::deserialize(deserializer)? == STATEMENT_TYPE {
            Ok(Self)
        } else {
            Err(de::Error::custom("`_type` is not an in-toto Statement v1"))
        }
    }
}

fn write_hex<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&digest.hex())
}

fn read_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    Digest::from_hex(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_statement_is_canonical_and_reads_back() {
        let subject = Subject::new("acme", Digest::of(b"manifest"));
        let statement = Statement::new("https://example/p", vec![subject], json!({"ok": true}));
        let payload = statement.to_payload().unwrap();
        insta::assert_snapshot!(
            String::from_utf8(payload.clone()).unwrap(),
            @r#"{"_type":"https://in-toto.io/Statement/v1","predicate":{"ok":true},"predicateType":"https://example/p","subject":[{"digest":{"sha256":"05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f"},"name":"acme"}]}"#
        );
        assert_eq!(Statement::parse(&payload, "https://example/p").unwrap(), statement);
        assert!(statement.is_about(&Digest::of(b"manifest")));
        assert!(!statement.is_about(&Digest::of(b"another")));
    }

    #[test]
    fn statements_of_another_kind_are_refused() {
        let good = json!({"_type": STATEMENT_TYPE, "predicateType": "p", "predicate": {},
            "subject": [{"digest": {"sha256": Digest::of(b"").hex(), "sha512": "ab"}}]});
        let parse = |value: &Value| Statement::<Value>::parse(value.to_string().as_bytes(), "p");
        assert!(parse(&good).is_ok());
        for (member, value) in [
            ("_type", json!("https://in-toto.io/Statement/v0.1")),
            ("predicateType", json!("q")),
            ("subject", json!([])),
            ("subject", json!([{"digest": {}}])),
            ("subject", json!([{"digest": {"sha256": Digest::of(b"").hex().to_uppercase()}}])),
        ] {
            let mut bad = good.clone();
            bad[member] = value;
            assert!(parse(&bad).is_err(), "{bad}");
        }
    }
}
