//! How much an integration can do, and so how much is asked of it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much an integration can do. A stricter tier is greater.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Public or low-impact data only.
    Standard,
    /// Reads personal or business data, or writes ordinary data.
    Elevated,
    /// Can change identities, secrets or production, or reads secret-grade data.
    Critical,
}

/// A text is not a tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tier: `critical`, `elevated` or `standard`")]
pub struct TierError(pub String);

impl Tier {
    /// All three, the strictest first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Elevated, Self::Standard];

    /// The word: `critical`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Elevated => "elevated",
            Self::Standard => "standard",
        }
    }

    /// The catalogue's code: `T1` is critical.
    pub fn code(self) -> &'static str {
        match self {
            Self::Critical => "T1",
            Self::Elevated => "T2",
            Self::Standard => "T3",
        }
    }

    /// What the tier means, for people.
    pub fn means(self) -> &'static str {
        match self {
            Self::Critical => {
                "can change identities, secrets or production, or reads secret-grade data"
            }
            Self::Elevated => "reads personal or business data, or writes ordinary data",
            Self::Standard => "public or low-impact data only",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Tier {
    type Err = TierError;

    /// Reads a word or a code.
    fn from_str(text: &str) -> Result<Self, TierError> {
        let found = Self::ALL.into_iter().find(|it| it.word() == text || it.code() == text);
        found.ok_or_else(|| TierError(text.chars().take(64).collect()))
    }
}

/// A value that may differ by tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerTier<T> {
    /// For critical ones.
    #[serde(rename = "T1", skip_serializing_if = "Option::is_none")]
    pub critical: Option<T>,
    /// For elevated ones.
    #[serde(rename = "T2", skip_serializing_if = "Option::is_none")]
    pub elevated: Option<T>,
    /// For standard ones.
    #[serde(rename = "T3", skip_serializing_if = "Option::is_none")]
    pub standard: Option<T>,
}

impl<T> PerTier<T> {
    /// The value for a tier, if it has one.
    pub fn get(&self, tier: Tier) -> Option<&T> {
        match tier {
            Tier::Critical => self.critical.as_ref(),
            Tier::Elevated => self.elevated.as_ref(),
            Tier::Standard => self.standard.as_ref(),
        }
    }
}

/// Tiers written as codes: `["T1", "T2"]`.
pub(super) mod codes {
    use std::collections::BTreeSet;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::Tier;

    pub(in super::super) fn serialize<S: Serializer>(
        tiers: &BTreeSet<Tier>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(tiers.iter().rev().map(|it| it.code()))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeSet<Tier>, D::Error> {
        let codes = Vec::<String>::deserialize(deserializer)?;
        let tier = |code: &String| {
            let known = Tier::ALL.into_iter().find(|it| it.code() == code);
            known.ok_or_else(|| D::Error::custom(format!("`{code}` is not one of T1, T2, T3")))
        };
        codes.iter().map(tier).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stricter_tier_is_greater() {
        assert!(Tier::Standard < Tier::Elevated);
        assert!(Tier::Elevated < Tier::Critical);
    }

    #[test]
    fn words_and_codes_read_back() {
        for tier in Tier::ALL {
            assert_eq!(tier.to_string().parse(), Ok(tier));
            assert_eq!(tier.code().parse(), Ok(tier));
            assert_eq!(serde_json::to_string(&tier).unwrap(), format!("\"{tier}\""));
        }
        for text in ["T4", "Critical", "", "t1"] {
            assert!(text.parse::<Tier>().is_err(), "parsing {text:?}");
        }
    }
}
