//! Lengths of time that make sense, and the minima of production.

use super::{PreflightCode, Rules};
use crate::time::Period;

const ZERO: Period = Period::from_millis(0);

pub(super) fn check(rules: &mut Rules<'_>) {
    for (path, period) in lengths(rules) {
        if period == ZERO {
            rules.add(PreflightCode::BelowMinimum, &path, format!("`{path}` is no time at all"));
        }
    }
    orders(rules);
    let max_age = rules.manifest().recertify.max_age;
    if MAX_AGE < max_age {
        let message = format!("a decision lasts {MAX_AGE} at most, not {max_age}");
        rules.add(PreflightCode::BelowMinimum, "recertify.max_age", message);
    }
    if rules.in_production() {
        production(rules);
    }
}

/// Every length that cannot be zero, with its path.
fn lengths(rules: &Rules<'_>) -> Vec<(String, Period)> {
    let manifest = rules.manifest();
    let mut all: Vec<(String, Option<Period>)> = Vec::new();
    for (index, it) in manifest.identities.iter().enumerate() {
        let at = |key: &str| format!("identity[{index}].{key}");
        all.push((at("max_token_ttl"), Some(it.max_token_ttl)));
        all.push((at("rotate_every"), Some(it.rotate_every)));
        all.push((at("refresh.max_age"), it.refresh.as_ref().and_then(|it| it.max_age)));
        all.push((at("rotation.finish"), it.rotation.as_ref().map(|it| it.finish)));
        all.push((at("offboarding.finish"), it.offboarding.as_ref().map(|it| it.finish)));
    }
    for (index, it) in manifest.webhooks.iter().enumerate() {
        let at = |key: &str| format!("webhook[{index}].{key}");
        all.push((at("signing.replay_window"), Some(it.signing.replay_window)));
        all.push((at("signing.rotate_every"), it.signing.rotate_every));
        all.push((at("retry_every"), it.retry_every));
    }
    for (index, it) in manifest.events.iter().enumerate() {
        let at = |key: &str| format!("event[{index}].{key}");
        all.push((at("signing.replay_window"), Some(it.signing.replay_window)));
        all.push((at("signing.rotate_every"), it.signing.rotate_every));
        let overlap = it.signing.next_key.as_ref().map(|it| it.overlap);
        all.push((at("signing.next_key.overlap"), overlap));
        all.push((at("retry_every"), it.retry_every));
        all.push((at("disable.within"), it.disable.as_ref().map(|it| it.within)));
        all.push((at("stream.within"), it.stream.as_ref().map(|it| it.within)));
    }
    for (index, it) in manifest.resources.iter().enumerate() {
        all.push((format!("resource[{index}].jwks_max_age"), it.jwks_max_age));
    }
    for (index, it) in manifest.alerts.iter().enumerate() {
        all.push((format!("alert[{index}].within"), Some(it.within)));
    }
    all.push(("observation.window".to_owned(), manifest.observation.as_ref().map(|it| it.window)));
    all.push(("logging.max_delay".to_owned(), Some(manifest.logging.max_delay)));
    all.push(("logging.retention".to_owned(), Some(manifest.logging.retention)));
    all.push(("revocation.deny_within".to_owned(), Some(manifest.revocation.deny_within)));
    all.push(("revocation.prove_within".to_owned(), Some(manifest.revocation.prove_within)));
    all.push(("revocation.max_stale".to_owned(), manifest.revocation.max_stale));
    all.push(("revocation.drill_every".to_owned(), Some(manifest.revocation.drill_every)));
    all.push(("recertify.max_age".to_owned(), Some(manifest.recertify.max_age)));
    all.into_iter().filter_map(|(path, it)| Some((path, it?))).collect()
}

/// What must not end before something else does.
fn orders(rules: &mut Rules<'_>) {
    let manifest = rules.manifest();
    let terms = &manifest.revocation;
    if terms.prove_within < terms.deny_within {
        let message =
            "`prove_within` ends before `deny_within`: what is not denied cannot be proved";
        rules.add(PreflightCode::Contradiction, "revocation.prove_within", message);
    }
    for (index, it) in manifest.identities.iter().enumerate() {
        if let Some(rotation) = it.rotation.as_ref().filter(|it| it.finish < it.overlap) {
            let message = format!(
                "rotation ends after {}, while the old credential still works for {}",
                rotation.finish, rotation.overlap
            );
            rules.add(
                PreflightCode::Contradiction,
                &format!("identity[{index}].rotation.finish"),
                message,
            );
        }
    }
    if let Some(it) = manifest.effects.as_ref().filter(|it| SETTLE_MAX < it.settle) {
        let message =
            format!("a check cannot wait {} for an effect, at most {SETTLE_MAX}", it.settle);
        rules.add(PreflightCode::BelowMinimum, "effects.settle", message);
    }
}

fn production(rules: &mut Rules<'_>) {
    let manifest = rules.manifest();
    let mut minima = vec![
        ("logging.retention".to_owned(), manifest.logging.retention, Period::from_days(90)),
        ("recertify.max_age".to_owned(), manifest.recertify.max_age, Period::from_days(1)),
        (
            "revocation.drill_every".to_owned(),
            manifest.revocation.drill_every,
            Period::from_hours(1),
        ),
        (
            "revocation.deny_within".to_owned(),
            manifest.revocation.deny_within,
            Period::from_millis(100),
        ),
        (
            "revocation.prove_within".to_owned(),
            manifest.revocation.prove_within,
            Period::from_seconds(1),
        ),
    ];
    if let Some(it) = &manifest.observation {
        minima.push(("observation.window".to_owned(), it.window, Period::from_days(1)));
    }
    for (index, it) in manifest.identities.iter().enumerate() {
        let at = |key: &str| format!("identity[{index}].{key}");
        minima.push((at("max_token_ttl"), it.max_token_ttl, Period::from_seconds(10)));
        minima.push((at("rotate_every"), it.rotate_every, Period::from_hours(1)));
    }
    for (path, given, least) in minima {
        if given < least {
            let message = format!("`{path}` is {given}; in production it is at least {least}");
            rules.add(PreflightCode::BelowMinimum, &path, message).help =
                Some("shorter ones are for `environment = \"sandbox\"`".to_owned());
        }
    }
}

/// No decision lasts longer.
const MAX_AGE: Period = Period::from_days(400);

/// No check waits longer for an effect.
const SETTLE_MAX: Period = Period::from_seconds(600);
