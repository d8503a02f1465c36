//! The compiled-in catalogue holds together, and one that does not is refused.

use super::*;
use crate::declare::words::Share;
use crate::require::control::Automation;
use crate::require::requirement::Level;
use crate::require::threshold::{Bound, Threshold};
use crate::require::tier::{PerTier, Tier};

fn catalogue() -> &'static Catalogue {
    Catalogue::embedded()
}

#[test]
fn the_compiled_in_catalogue_reads() {
    let read = Catalogue::read(CONTROLS, PROFILES, FRAMEWORKS, TRIGGERS).unwrap();
    assert_eq!(read, *catalogue());
    assert_eq!(read.controls.len(), 60);
    // A control is decided by checks, by a named person, or by nobody yet; never by two of these at a time.
    for control in &read.controls {
        assert_eq!(control.checks.is_empty(), control.automation.is_some(), "{}", control.id);
    }
    assert!(read.controls.iter().any(|it| it.automation == Some(Automation::Attestation)));
}

#[test]
fn a_control_lives_in_the_folder_of_its_family_under_its_title() {
    const FAMILIES: [(&str, &str); 12] = [
        ("GOV", "governance"),
        ("SCP", "scope"),
        ("CRD", "credential"),
        ("AUT", "authentication"),
        ("TOK", "token"),
        ("WHK", "webhook"),
        ("SET", "security-event"),
        ("NET", "network"),
        ("LOG", "logging"),
        ("CHG", "change"),
        ("WDR", "withdrawal"),
        ("OPS", "operations"),
    ];
    let mut last = (0, 0);
    for ((file, _), control) in CONTROLS.iter().zip(&catalogue().controls) {
        let parts: Vec<&str> = control.id.split('-').collect();
        assert_eq!((parts.len(), parts[0]), (3, "CTS"), "{}", control.id);
        let family = FAMILIES.iter().position(|(code, _)| *code == parts[1]).unwrap();
        let title: String = control
            .title
            .to_lowercase()
            .split(|it: char| !it.is_ascii_alphanumeric())
            .filter(|it| !it.is_empty())
            .collect::<Vec<_>>()
            .join("-");
        assert_eq!(*file, format!("controls/{}/{title}.toml", FAMILIES[family].1));
        let number: usize = parts[2].parse().unwrap();
        assert!(last < (family, number), "{} is out of order", control.id);
        last = (family, number);
    }
}

#[test]
fn a_control_says_everything_that_is_needed_to_act_on_it() {
    let shape = |pattern: &str| regex::Regex::new(pattern).unwrap();
    let (check, case) = (shape("^[a-z]+(_[a-z0-9]+)+$"), shape("^[A-Z]{3}-[0-9]{2}$"));
    let (scenario, number) = (shape("^SN-20[0-9]{2}-[A-Z-]+$"), shape(r"^[0-9]+\.[0-9]+$"));
    for control in &catalogue().controls {
        let id = &control.id;
        for sentence in [&control.plain, &control.requirement, &control.risk, &control.remediation]
        {
            assert!(sentence.ends_with('.') && sentence.len() < 240, "{id}: {sentence}");
        }
        assert!(!control.pass_criterion.is_empty() && !control.tiers.is_empty(), "{id}");
        assert!(!control.capabilities.is_empty() && !control.check_kinds.is_empty(), "{id}");
        assert!(control.checks.iter().all(|it| check.is_match(it)), "{id}: {:?}", control.checks);
        assert!(control.probes.iter().all(|it| case.is_match(it)), "{id}: {:?}", control.probes);
        assert!(control.scenarios.iter().all(|it| scenario.is_match(it)), "{id}");
        for tier in Tier::ALL {
            let limited = control.freshness_hours.get(tier).is_some_and(|it| 0 < *it);
            assert_eq!(limited, control.tiers.contains(&tier), "{id}: age of evidence at {tier}");
        }
        for (name, threshold) in &control.thresholds {
            for bound in Tier::ALL.into_iter().filter_map(|it| threshold.get(it)) {
                let exact = match bound {
                    Bound::Integer(it) => 0 <= *it,
                    Bound::Text(it) => it.parse::<Share>().is_ok() || number.is_match(it),
                };
                assert!(exact, "{id}: {name}");
            }
            if let Threshold::ByTier(PerTier { critical, elevated, standard }) = threshold {
                let given = [critical.is_some(), elevated.is_some(), standard.is_some()];
                let tiers = Tier::ALL.map(|it| control.tiers.contains(&it));
                assert_eq!(given, tiers, "{id}: {name} differs from the tiers");
            }
        }
    }
}

#[test]
fn every_profile_settles_every_control_and_requires_only_what_is_checked() {
    for profile in &catalogue().profiles {
        for control in &catalogue().controls {
            let level = profile.levels.get(&control.id);
            assert!(level.is_some(), "{} says nothing of {}", profile.name(), control.id);
            let counts = level != Some(&Level::Observe);
            let automated = !control.checks.is_empty();
            assert!(automated || !counts, "{} asks for {}", profile.name(), control.id);
        }
        assert!(!profile.fail_mode.is_empty() && !profile.suspend_on.is_empty());
        let file = format!("profiles/{}.toml", profile.name());
        assert!(PROFILES.iter().any(|(name, _)| *name == file), "{file}");
    }
}

#[test]
fn every_trigger_reopens_logging_scopes_and_revocation() {
    let catalogue = catalogue();
    assert!(!catalogue.triggers.each.is_empty());
    for name in catalogue.triggers.each.keys() {
        let reopened = catalogue.reopened_by(name);
        for family in ["CTS-LOG-", "CTS-SCP-", "CTS-TOK-", "CTS-WDR-"] {
            let touches = |it: &&str| catalogue.controls_of(it).any(|it| it.id.starts_with(family));
            assert!(reopened.iter().any(touches), "{name} leaves {family}* alone");
        }
        assert!(reopened.len() < catalogue.checks().len(), "{name} reopens everything");
    }
    assert_eq!(catalogue.reopened_by("never heard of"), catalogue.checks());
}

#[test]
fn findings_cite_ids_and_the_aliases_that_stand_for_them() {
    let control = catalogue().control("CTS-GOV-07").unwrap();
    insta::assert_snapshot!(catalogue().maps_of(control).join("\n"), @r"
    OWASP-NHI3:2025
    DOC:NHI-01
    CSF2:GV.SC-07
    CSF2:GV.OC-05
    CSF2:ID.AM-03
    DOC:ID.SC-2
    SP800-53r5:SR-3
    SP800-53r5:SA-9
    SP800-53r5:AC-20
    ISO27001:2022:A.5.21
    SOC2:CC9.2
    CCM4:STA-07
    DORA:Art.29
    NIS2:Art.21(3)
    ");
}

#[test]
fn a_waiver_is_capped_by_tier_and_profile_and_some_controls_are_never_waived() {
    let profile = catalogue().profile("saas-vendor@1").unwrap();
    let days =
        |control, tier| profile.waiver_age_max(control, tier, catalogue()).map(|it| it.to_string());
    assert_eq!(days("CTS-LOG-05", Tier::Critical).as_deref(), Some("30d"));
    assert_eq!(days("CTS-LOG-05", Tier::Standard).as_deref(), Some("60d"));
    assert_eq!(days("CTS-WDR-01", Tier::Standard), None);
}

#[test]
fn a_catalogue_that_does_not_fit_together_is_refused() {
    let (file, control) = CONTROLS[0];
    let (name, profile) = PROFILES[0];
    let leak = |it: String| -> &'static str { it.leak() };
    let edited = |from: &str, to: &str| {
        assert!(control.contains(from), "the control says {from:?}");
        leak(control.replacen(from, to, 1))
    };
    let tuned = |from: &str, to: &str| {
        assert!(profile.contains(from), "the profile says {from:?}");
        leak(profile.replacen(from, to, 1))
    };
    let read = |first: &'static str, profile: &'static str, twice: bool| {
        let mut controls = CONTROLS.to_vec();
        controls[0] = (file, first);
        if twice {
            controls.push((file, first));
        }
        Catalogue::read(&controls, &[(name, profile)], FRAMEWORKS, TRIGGERS)
            .map_or_else(|it| it.to_string(), |_| "fits".to_owned())
    };
    let table = [
        (read(control, profile, false), "fits"),
        (read(control, profile, true), "`CTS-GOV-01` is there twice"),
        (
            read(edited("severity = ", "severety = "), profile, false),
            "catalogue file `controls/governance/accountable-owner-and-live-security-contact.toml` cannot be read",
        ),
        (
            read(edited("\"NHI10\"", "\"NHI11\""), profile, false),
            "control `CTS-GOV-01` cites a wrong id",
        ),
        (
            read(edited("owasp_nhi", "owasp_top"), profile, false),
            "CTS-GOV-01 names `owasp_top`, which is not in the catalogue",
        ),
        (
            read(
                edited("checks = [\"names_owners_and_live_contact\"]", "checks = []"),
                profile,
                false,
            ),
            "control `CTS-GOV-01` needs either checks or `automation`",
        ),
        (
            read(control, tuned("CTS-GOV-01 = ", "CTS-GOV-99 = "), false),
            "saas-vendor@1 names `CTS-GOV-99`, which is not in the catalogue",
        ),
        (
            read(control, tuned("\"misuse\"", "\"mischief\""), false),
            "saas-vendor@1 names `mischief`, which is not in the catalogue",
        ),
        (
            read(control, tuned("max_days", "min_days"), false),
            "saas-vendor@1 names `CTS-CHG-02.min_days`, which is not in the catalogue",
        ),
    ];
    for (got, expected) in table {
        assert_eq!(got, expected);
    }
}
