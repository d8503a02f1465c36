//! `profile`: what is demanded, in general and of one manifest.

use std::collections::BTreeSet;
use std::path::Path;

use countersign_model::declare::Parsed;
use countersign_model::require::requirement::Requirement;
use countersign_model::require::{
    Capability, Catalogue, Level, Profile, capabilities_of, computed_tier, require,
};
use serde_json::{Value, json};

use super::{Context, list, manifest, text};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Lists the profiles.
pub(crate) fn list_all(context: Context<'_>) -> Exit {
    let profiles = &Catalogue::embedded().profiles;
    let rows: Vec<Value> = profiles
        .iter()
        .map(|it| json!({ "profile": it.name(), "title": it.title, "for_whom": it.for_whom }))
        .collect();
    let answer = json!({ "schema": "countersign.profiles/1", "profiles": rows });
    context.show(&answer, |it| {
        let rows = list(it, "profiles");
        rows.iter()
            .map(|it| format!("{:<22}{}", text(it, "profile"), text(it, "for_whom")))
            .collect()
    });
    Exit::Yes
}

/// Shows what a manifest's profile asks of it, control by control.
pub(crate) fn show(context: Context<'_>, path: &Path) -> Outcome {
    let parsed = manifest::load(context, path)?;
    let catalogue = Catalogue::embedded();
    let manifest = &parsed.manifest;
    let profile = of(&parsed, catalogue)?;
    let capabilities = capabilities_of(manifest);
    let computed = computed_tier(manifest);
    let tier = computed.max(manifest.integration.tier);
    let requirements = require(&capabilities, tier, profile, catalogue);
    let controls: Vec<Value> =
        requirements.iter().filter(|it| it.applicable).map(|it| row(it, catalogue)).collect();
    let count = |level| requirements.iter().filter(|it| it.applicable && it.level == level).count();
    let missing = profile.missing_sections(manifest);
    let answer = json!({
        "schema": "countersign.requirements/1",
        "integration": manifest.integration.id,
        "manifest": parsed.digest,
        "profile": profile.name(),
        "tier": { "declared": manifest.integration.tier, "computed": computed, "in_force": tier },
        "capabilities": words(&capabilities),
        "missing_sections": missing.iter().map(|it| it.heading()).collect::<Vec<_>>(),
        "required": count(Level::Required),
        "observed": count(Level::Observe),
        "after_certify": count(Level::AfterCertify),
        "not_applicable": requirements.iter().filter(|it| !it.applicable).count(),
        "total": requirements.len(),
        "controls": controls,
    });
    context.show(&answer, lines);
    Ok(if missing.is_empty() { Exit::Yes } else { Exit::No })
}

/// The profile of a manifest, or which ones there are.
pub(crate) fn of<'a>(parsed: &Parsed, catalogue: &'a Catalogue) -> Result<&'a Profile, Failure> {
    let name = &parsed.manifest.profile;
    catalogue.profile(name.as_str()).ok_or_else(|| {
        let known: Vec<String> = catalogue.profiles.iter().map(Profile::name).collect();
        Failure::new(Exit::NotJudged, format!("profile `{name}` is not known"))
            .help(format!("one of {}", known.join(", ")))
    })
}

fn words(capabilities: &BTreeSet<Capability>) -> Value {
    serde_json::to_value(capabilities).unwrap_or_default()
}

fn row(requirement: &Requirement<'_>, catalogue: &Catalogue) -> Value {
    let control = requirement.control;
    json!({
        "control": control.id,
        "title": control.title,
        "level": requirement.level,
        "checks": requirement.checks,
        "decided_by": control.automation.map_or("checks", |it| it.says()),
        "evidence_age_max": requirement.evidence_age_max,
        "maps": catalogue.maps_of(control),
    })
}

fn lines(answer: &Value) -> Vec<String> {
    let member = |outer: &str, inner: &str| {
        answer.get(outer).map(|it| text(it, inner).to_owned()).unwrap_or_default()
    };
    let mut lines = vec![
        format!("{} · {}", text(answer, "integration"), text(answer, "profile")),
        format!(
            "tier {} (declared {}, computed {})",
            member("tier", "in_force"),
            member("tier", "declared"),
            member("tier", "computed")
        ),
        String::new(),
    ];
    for control in list(answer, "controls") {
        let decided = match list(control, "checks").len() {
            0 => text(control, "decided_by").to_owned(),
            1 => "1 check".to_owned(),
            many => format!("{many} checks"),
        };
        lines.push(format!(
            "{:<12}{:<15}{:<55}{decided}",
            text(control, "control"),
            text(control, "level"),
            text(control, "title")
        ));
    }
    let number = |name| super::number(answer, name);
    lines.push(String::new());
    lines.push(format!(
        "{} required   {} observed   {} after certification   {} not applicable   of {}",
        number("required"),
        number("observed"),
        number("after_certify"),
        number("not_applicable"),
        number("total")
    ));
    lines.push("what can be looked at from here: countersign check".to_owned());
    for section in list(answer, "missing_sections").iter().filter_map(Value::as_str) {
        lines.push(format!("missing: the profile demands {section}"));
    }
    lines
}
