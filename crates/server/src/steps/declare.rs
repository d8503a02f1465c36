//! Step 1, declare: a manifest is taken in.

use std::collections::BTreeSet;

use countersign_model::declare::manifest::Identity;
use countersign_model::declare::{self, Format, Parsed};
use countersign_model::event::What;
use countersign_model::id::PersonId;
use countersign_model::lifecycle::status;
use countersign_model::registry::Record;
use countersign_model::require::{Catalogue, Tier, computed_tier};
use countersign_model::review::quorum;
use countersign_seal::dsse::Envelope;
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
    let others = writer.registry().integrations.values().filter(|it| it.slug != slug);
    let others: Vec<Record> = others.cloned().collect();
    not_taken(app, &others, &parsed).await?;
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

/// Refuses a manifest that names a client of another integration: a gate knows whom a call belongs to by
/// its client, so whoever named somebody else's would act under that one's grant, or take it over.
async fn not_taken(app: &App, others: &[Record], parsed: &Parsed) -> Result<(), Problem> {
    let wanted: BTreeSet<&str> =
        parsed.manifest.identities.iter().map(Identity::client_id).collect();
    for other in others {
        let (submitted, _) = app.book.manifest(other.submission.blob).await?;
        let mut held: Vec<String> =
            submitted.manifest.identities.iter().map(|it| it.client_id().to_owned()).collect();
        if let Some(certificate) = &other.certificate {
            let envelope: Envelope = app.book.document(certificate.envelope).await?;
            let granted = quorum::read(envelope.unverified_payload());
            let granted = granted.map(|(it, _)| it.grant.identities).unwrap_or_default();
            held.extend(granted.into_iter().map(|it| it.client_id));
        }
        if let Some(client) = held.iter().find(|it| wanted.contains(it.as_str())) {
            let text = format!("client `{client}` is one of `{}`", other.slug);
            return Err(Problem::new(422, "client-taken", text));
        }
    }
    Ok(())
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
