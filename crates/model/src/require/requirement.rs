//! What is asked of one integration.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::capability::Capability;
use super::catalogue::Catalogue;
use super::control::Control;
use super::profile::Profile;
use super::threshold::Thresholds;
use super::tier::Tier;
use crate::time::Period;

/// How much a control counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It blocks from the certificate on; before, there is nothing to look at.
    AfterCertify,
    /// It is counted and shown, and does not block.
    Observe,
    /// It blocks.
    Required,
}

impl Level {
    /// The word: `after-certify`.
    pub fn word(self) -> &'static str {
        match self {
            Self::AfterCertify => "after-certify",
            Self::Observe => "observe",
            Self::Required => "required",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One control, as it is asked of one integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement<'a> {
    /// The control.
    pub control: &'a Control,
    /// How much it counts in the profile.
    pub level: Level,
    /// The tier in force.
    pub tier: Tier,
    /// Whether tier and capabilities call for it at all.
    pub applicable: bool,
    /// The checks that decide it; empty when none exists yet.
    pub checks: &'a [String],
    /// Its figures at this tier, with the profile's in place of the catalogue's.
    pub thresholds: Thresholds,
    /// How old its evidence may be.
    pub evidence_age_max: Period,
    /// Those of its checks that are rehearsals, and how often the manifest has them.
    pub rehearsals: (Vec<&'a str>, Period),
}

impl Requirement<'_> {
    /// Evidence of what is rehearsed is no older than the manifest says that it is rehearsed
    /// (`[revocation] drill_every`), nor than the catalogue allows.
    pub fn rehearsed(mut self, every: Period, is_drill: impl Fn(&str) -> bool) -> Self {
        let drills = self.checks.iter().map(String::as_str).filter(|it| is_drill(it));
        self.rehearsals = (drills.collect(), every);
        self
    }

    /// How old the evidence of one of its checks may be.
    pub fn age_max(&self, check: &str) -> Period {
        let (drills, every) = &self.rehearsals;
        let usual = self.evidence_age_max;
        if drills.contains(&check) { usual.min(*every) } else { usual }
    }
}

/// What a profile asks of an integration: one requirement for each control, in the catalogue's order.
///
/// Controls that tier and capabilities do not call for are there too, marked as not applicable, so
/// that every count has its denominator.
pub fn require<'a>(
    capabilities: &BTreeSet<Capability>,
    tier: Tier,
    profile: &Profile,
    catalogue: &'a Catalogue,
) -> Vec<Requirement<'a>> {
    let one = |control: &'a Control| Requirement {
        control,
        level: profile.level(&control.id),
        tier,
        applicable: control.applies(capabilities, tier),
        checks: &control.checks,
        thresholds: Thresholds::resolve(
            &control.thresholds,
            profile.thresholds.get(&control.id),
            tier,
        ),
        evidence_age_max: evidence_age_max(control, tier),
        rehearsals: (Vec::new(), Period::default()),
    };
    catalogue.controls.iter().map(one).collect()
}

/// How old evidence for a control may be: where a tier has no limit, nothing older than this moment counts.
fn evidence_age_max(control: &Control, tier: Tier) -> Period {
    control
        .freshness_hours
        .get(tier)
        .map_or(Period::default(), |it| Period::from_hours((*it).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(profile: &str, tier: Tier, capabilities: &[Capability]) -> Vec<Requirement<'static>> {
        let catalogue = Catalogue::embedded();
        let capabilities = capabilities.iter().copied().collect();
        require(&capabilities, tier, catalogue.profile(profile).unwrap(), catalogue)
    }

    #[test]
    fn what_is_rehearsed_is_as_fresh_as_the_stricter_of_both_says() {
        let all = asked("marketplace-app@1", Tier::Standard, &[Capability::OauthClient]);
        let ages = |every| {
            let is_drill = |it: &str| it == "denies_every_path_when_suspended";
            let age = |id: &str| {
                let found = all.iter().find(|it| it.control.id == "CTS-WDR-01").unwrap();
                found.clone().rehearsed(Period::from_hours(every), is_drill).age_max(id)
            };
            let checks = ["denies_every_path_when_suspended", "refuses_disabled_client"];
            checks.map(|it| age(it).to_string()).join(", ")
        };
        insta::assert_snapshot!(ages(24), @"1d, 180d");
        insta::assert_snapshot!(ages(24 * 900), @"180d, 180d");
    }

    fn required<'a>(all: &[Requirement<'a>]) -> Vec<&'a str> {
        let blocks = |it: &&Requirement<'_>| it.applicable && it.level == Level::Required;
        all.iter().filter(blocks).map(|it| it.control.id.as_str()).collect()
    }

    #[test]
    fn a_stricter_tier_and_more_capabilities_ask_for_more() {
        use Capability::{OauthClient, WebhookReceiver};
        let plain = required(&asked("marketplace-app@1", Tier::Standard, &[OauthClient]));
        let hooked = asked("marketplace-app@1", Tier::Standard, &[OauthClient, WebhookReceiver]);
        let critical = asked("payroll-partner@1", Tier::Critical, &[OauthClient]);
        let more = |all: &[Requirement<'_>]| {
            let all = required(all);
            assert!(plain.iter().all(|it| all.contains(it)), "more never asks for less");
            all.into_iter().filter(|it| !plain.contains(it)).collect::<Vec<_>>().join(" ")
        };
        insta::assert_snapshot!(plain.join(" "), @"CTS-GOV-01 CTS-GOV-02 CTS-GOV-03 CTS-GOV-06 CTS-SCP-01 CTS-SCP-03 CTS-CRD-01 CTS-CRD-02 CTS-CRD-03 CTS-CRD-09 CTS-TOK-04 CTS-LOG-01 CTS-CHG-01 CTS-CHG-02 CTS-WDR-01");
        insta::assert_snapshot!(more(&hooked), @"CTS-WHK-01 CTS-WHK-02");
        insta::assert_snapshot!(more(&critical), @"CTS-CRD-04 CTS-CRD-11 CTS-AUT-01 CTS-LOG-02 CTS-LOG-04 CTS-LOG-05 CTS-WDR-02");
    }

    #[test]
    fn every_control_is_counted_whether_it_applies_or_not() {
        let all = asked("reseller@1", Tier::Elevated, &[]);
        assert_eq!(all.len(), Catalogue::embedded().controls.len());
        let webhooks = all.iter().find(|it| it.control.id == "CTS-WHK-01").unwrap();
        assert!(!webhooks.applicable);
    }

    #[test]
    fn figures_and_the_age_of_evidence_follow_the_tier_and_the_profile() {
        let find = |profile, tier, id: &str| {
            let mut all = asked(profile, tier, &[Capability::OauthClient]);
            all.swap_remove(all.iter().position(|it| it.control.id == id).unwrap())
        };
        let critical = find("payroll-partner@1", Tier::Critical, "CTS-CRD-02");
        assert_eq!(
            critical.thresholds.period("max_lifetime_seconds"),
            Some(Period::from_seconds(900))
        );
        assert_eq!(critical.evidence_age_max, Period::from_days(7));
        let elevated = find("saas-vendor@1", Tier::Elevated, "CTS-CRD-02");
        assert_eq!(elevated.thresholds.period("max_lifetime_seconds"), Some(Period::from_hours(1)));
        assert_eq!(elevated.evidence_age_max, Period::from_days(30));
        let usual = find("saas-vendor@1", Tier::Elevated, "CTS-LOG-01");
        let strict = find("reseller@1", Tier::Elevated, "CTS-LOG-01");
        assert!(usual.thresholds.share("completeness").unwrap().met_by(999, 1_000));
        assert!(!strict.thresholds.share("completeness").unwrap().met_by(999, 1_000));
    }
}
