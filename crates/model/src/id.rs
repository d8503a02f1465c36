//! Names of things: typed ids with a prefix, so that one can never stand for another.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text is not the id that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}_…` (26 characters of Crockford base32)")]
pub struct IdError {
    /// What was given.
    pub text: String,
    /// The prefix that was expected, such as `crt`.
    pub prefix: &'static str,
}

/// Crockford's base32 alphabet: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Writes a ULID: 48 bits of milliseconds, then 80 bits of entropy.
fn ulid(at_ms: i64, entropy: [u8; 10]) -> String {
    let mut value = (u128::try_from(at_ms).unwrap_or_default() & 0xFFFF_FFFF_FFFF) << 80;
    for (index, byte) in entropy.iter().enumerate() {
        value |= u128::from(*byte) << (72 - 8 * index);
    }
    (0..26)
        .rev()
        .map(|position| char::from(ALPHABET[((value >> (5 * position)) & 31) as usize]))
        .collect()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The letters before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Makes a new id from a moment and 80 bits of entropy.
            pub fn new(at: crate::time::Timestamp, entropy: [u8; 10]) -> Self {
                Self(format!("{}_{}", $prefix, ulid(at.millis(), entropy)))
            }

            /// The whole id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = || IdError { text: text.chars().take(64).collect(), prefix: $prefix };
                let rest = text.strip_prefix(concat!($prefix, "_")).ok_or_else(error)?;
                let known = rest.len() == 26 && rest.bytes().all(|it| ALPHABET.contains(&it));
                if known { Ok(Self(text.to_owned())) } else { Err(error()) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// An integration, for the length of its life.
    IntegrationId = "int";
    /// One run of checks.
    AssessmentId = "asm";
    /// One piece of evidence: a transcript and its verdict.
    EvidenceId = "ev";
    /// A waiver.
    WaiverId = "wvr";
    /// A decision: a person's in a review, or a gate's on a call.
    DecisionId = "dec";
    /// A certificate.
    CertificateId = "crt";
    /// A plan to certify.
    PlanId = "pln";
    /// A withdrawal of trust: a suspension or a revocation.
    RevocationId = "rev";
    /// A drill.
    DrillId = "drl";
    /// A person, opaque: names and addresses are kept apart and can be erased.
    PersonId = "per";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn ids_read_back_and_sort_by_time() {
        let early = CertificateId::new(Timestamp::from_millis(1_000), [255; 10]);
        let late = CertificateId::new(Timestamp::from_millis(2_000), [0; 10]);
        assert!(early < late);
        assert_eq!(early.as_str().parse::<CertificateId>().as_ref(), Ok(&early));
        assert_eq!(late.as_str(), "crt_00000001YG0000000000000000");
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let plan = PlanId::new(Timestamp::from_millis(5), [7; 10]);
        let refused = plan.as_str().parse::<CertificateId>().unwrap_err();
        assert_eq!(refused.prefix, "crt");
        for text in [
            "",
            "crt_",
            "crt_IIIIIIIIIIIIIIIIIIIIIIIIII",
            "crt_0",
            "crt-000000001YG000000000000000",
        ] {
            assert!(text.parse::<CertificateId>().is_err(), "parsing {text:?}");
        }
    }
}
