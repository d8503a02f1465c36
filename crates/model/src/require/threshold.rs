//! The figures that a control is held against.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tier::{PerTier, Tier};
use crate::declare::words::Share;
use crate::time::Period;

/// One figure: a whole number, or a text such as `99.9%` (no floats, so that digests stay exact).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bound {
    /// A whole number; the name says the unit.
    Integer(i64),
    /// A share such as `99.9%`, or a decimal number such as `2.0`.
    Text(String),
}

/// A figure that is the same for all tiers, or differs by tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Threshold {
    /// The same for all.
    All(Bound),
    /// By tier.
    ByTier(PerTier<Bound>),
}

impl Threshold {
    /// The figure for a tier.
    pub fn get(&self, tier: Tier) -> Option<&Bound> {
        match self {
            Self::All(bound) => Some(bound),
            Self::ByTier(bounds) => bounds.get(tier),
        }
    }
}

/// The figures of one control at one tier.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Thresholds(BTreeMap<String, Bound>);

impl Thresholds {
    /// The catalogue's figures at a tier, with the profile's in their place where it has some.
    pub fn resolve(
        catalogue: &BTreeMap<String, Threshold>,
        profile: Option<&BTreeMap<String, Threshold>>,
        tier: Tier,
    ) -> Self {
        let mut bounds = BTreeMap::new();
        for (name, threshold) in catalogue.iter().chain(profile.into_iter().flatten()) {
            if let Some(bound) = threshold.get(tier) {
                bounds.insert(name.clone(), bound.clone());
            }
        }
        Self(bounds)
    }

    /// The figure as it is written.
    pub fn get(&self, name: &str) -> Option<&Bound> {
        self.0.get(name)
    }

    /// Every figure, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Bound)> {
        self.0.iter().map(|(name, bound)| (name.as_str(), bound))
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.0.get(name)? {
            Bound::Integer(number) => Some(*number),
            Bound::Text(_) => None,
        }
    }

    /// A length of time, whose unit is one of the words of the name: `max_lifetime_seconds`, `delay_p95_minutes`, `request_uri_seconds_lt`.
    pub fn period(&self, name: &str) -> Option<Period> {
        let number = u64::try_from(self.integer(name)?).ok()?;
        name.split('_').rev().find_map(|word| match word {
            "ms" => Some(Period::from_millis(number)),
            "seconds" => Some(Period::from_seconds(number)),
            "minutes" => Some(Period::from_seconds(number.saturating_mul(60))),
            "hours" => Some(Period::from_hours(number)),
            "days" => Some(Period::from_days(number)),
            _ => None,
        })
    }

    /// A share of a whole.
    pub fn share(&self, name: &str) -> Option<Share> {
        match self.0.get(name)? {
            Bound::Integer(_) => None,
            Bound::Text(text) => text.parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(text: &str) -> BTreeMap<String, Threshold> {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_profile_replaces_a_figure_only_at_the_tiers_that_it_names() {
        let catalogue = figures("max_seconds = { T1 = 60, T2 = 300, T3 = 3600 }\ndrill_days = 30");
        let profile = figures("max_seconds = { T3 = 120 }");
        let at = |tier| Thresholds::resolve(&catalogue, Some(&profile), tier);
        assert_eq!(at(Tier::Standard).period("max_seconds"), Some(Period::from_seconds(120)));
        assert_eq!(at(Tier::Critical).period("max_seconds"), Some(Period::from_seconds(60)));
        assert_eq!(at(Tier::Critical).period("drill_days"), Some(Period::from_days(30)));
    }

    #[test]
    fn a_figure_is_read_by_the_unit_in_its_name() {
        let all = figures(
            "delay_p95_minutes = 5\nrequest_uri_seconds_lt = 600\nmax_skew_ms = 1000\n\
             shared_max = 0\ncompleteness = \"99.9%\"\nhard_multiple = \"2.0\"",
        );
        let figures = Thresholds::resolve(&all, None, Tier::Elevated);
        assert_eq!(figures.period("delay_p95_minutes"), Some(Period::from_seconds(300)));
        assert_eq!(figures.period("request_uri_seconds_lt"), Some(Period::from_seconds(600)));
        assert_eq!(figures.period("max_skew_ms"), Some(Period::from_seconds(1)));
        assert_eq!(figures.period("shared_max"), None, "a count is not a time");
        assert_eq!(figures.integer("shared_max"), Some(0));
        assert!(figures.share("completeness").unwrap().met_by(999, 1_000));
        assert_eq!(figures.share("hard_multiple"), None);
        assert_eq!(figures.integer("unheard_of"), None);
    }

    #[test]
    fn floats_and_unknown_tiers_are_refused() {
        for text in ["share = 0.999", "days = { T1 = 1.5 }", "days = { T4 = 1 }"] {
            let refused = toml::from_str::<BTreeMap<String, Threshold>>(text).is_err();
            assert!(refused, "parsing {text:?}");
        }
    }
}
