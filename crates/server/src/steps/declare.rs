//! Step 1, declare: a manifest is taken in.

use std::collections::BTreeSet;

use countersign_model::declare::{self, Format, Parsed};
use countersign_model::event::What;
use countersign_model::id::PersonId;
use countersign_model::lifecycle::status;
use countersign_model::require::{Catalogue, Tier, computed_tier};
use serde_json::{Value, json};

use crate::app::{App, new_integration};
use crate::book::{Draft, format_of};
use crate::problem::Problem;
use crate::snapshot::grace;

/// Takes a manifest in.
pub async fn submit(
    app: &App,
    by: &PersonId,
    text: &str,
    format: Format,
) -> Result<Value, Problem> {
    let parsed = read(text, format)?;
    let manifest = &parsed.manifest;
    if manifest.environment != app.config.environment {
        return Err(Problem::new(422, "environment", "this server certifies another environment"));
    }
    let profile = manifest.profile.clone();
    if Catalogue::embedded().profile(profile.as_str()).is_none() {
        return Err(Problem::new(422, "profile", format!("there is no profile `{profile}`")));
    }
    let tier = in_force(&parsed);
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let slug = manifest.integration.id.clone();
    let known = writer.registry().find(slug.as_str()).cloned();
    let triggers = match &known {
        None => Vec::new(),
        // Triggers add up in the registry, so the last submission is the measure.
        Some(it) => triggers(&app.book.manifest(it.submission.blob).await?.0, &parsed),
    };
    let integration = match &known {
        Some(it) => it.id.clone(),
        None => new_integration(now)?,
    };
    let mut draft = Draft::default();
    let blob = draft.blob(text.as_bytes().to_vec());
    let what = What::Submitted {
        integration: integration.clone(),
        slug: slug.clone(),
        manifest: parsed.digest,
        blob,
        environment: manifest.environment,
        profile,
        tier,
        triggers: triggers.clone(),
    };
    draft.event(now, Some(by), what);
    writer.commit(draft, now).await?;
    let record = writer.registry().integrations.get(&integration);
    let state = record.map(|it| status(now, it, grace(it)).state);
    Ok(json!({
        "integration": integration,
        "slug": slug,
        "manifest": parsed.digest,
        "tier": tier,
        "state": state,
        "triggers": triggers,
    }))
}

/// Reads a manifest, or says what is wrong with it.
pub(crate) fn read(text: &str, format: Format) -> Result<Parsed, Problem> {
    let refused = |diagnostics: Value| Problem {
        diagnostics: Some(diagnostics),
        ..Problem::new(422, "manifest-invalid", "the manifest cannot be judged")
    };
    let parsed = declare::read(text, format).map_err(|it| refused(json!(it)))?;
    if format_of(text) == format {
        Ok(parsed)
    } else {
        Err(Problem::new(422, "format", "the text is not of the stated format"))
    }
}

/// The stricter of declared and computed tier.
pub(crate) fn in_force(parsed: &Parsed) -> Tier {
    let (declared, computed) = (parsed.manifest.integration.tier, computed_tier(&parsed.manifest));
    let rank = |it: Tier| Tier::ALL.iter().position(|known| *known == it);
    if rank(declared) <= rank(computed) { declared } else { computed }
}

/// The words of the changes that reopen a certification.
pub(crate) fn triggers(before: &Parsed, after: &Parsed) -> Vec<String> {
    let changes = declare::diff::diff(&before.value, &after.value);
    // A change without a word of its own reopens everything, since the catalogue does not know it.
    let word = |it: Option<&'static str>| it.unwrap_or("scope-changed").to_owned();
    let words: BTreeSet<String> = changes.iter().map(|it| word(it.trigger)).collect();
    words.into_iter().collect()
}
