//! Every check that can run from here on a manifest, and what could not be looked at.

use std::path::Path;

use countersign_checks::rehearse::{Rehearsal, rehearse};
use countersign_model::declare::Parsed;
use countersign_model::require::{Catalogue, capabilities_of, computed_tier, require};
use serde_json::json;

use super::findings::{self, Source};
use super::is_shown;
use crate::args::CheckArgs;
use crate::clock;
use crate::command::{Context, manifest, profile};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::beside;

/// Rehearses a certification, without a server.
pub(super) async fn run(context: Context<'_>, path: &Path, args: &CheckArgs) -> Outcome {
    let parsed = manifest::load(context, path)?;
    let catalogue = Catalogue::embedded();
    let profile = profile::of(&parsed, catalogue)?;
    let tier = computed_tier(&parsed.manifest).max(parsed.manifest.integration.tier);
    let capabilities = capabilities_of(&parsed.manifest);
    let requirements = require(&capabilities, tier, profile, catalogue);
    let no_entropy = || Failure::new(Exit::Broken, "this machine gives no randomness");
    let salt = clock::entropy::<32>().ok_or_else(no_entropy)?;
    let mut ids = clock::entropy::<10>().ok_or_else(no_entropy)?;
    let next = || {
        // One draw for the run; each id then differs in its last bytes.
        let [.., high, low] = &mut ids;
        let (sum, carry) = low.overflowing_add(1);
        *low = sum;
        *high = high.wrapping_add(u8::from(carry));
        ids
    };
    let rehearsal = rehearse(&parsed, &requirements, clock::now(), &salt, next)
        .await
        .map_err(|it| Failure::new(Exit::Broken, "evidence has no canonical form").because(&it))?;
    let missing: Vec<&str> =
        profile.missing_sections(&parsed.manifest).iter().map(|it| it.heading()).collect();
    let exit = if missing.is_empty() { rehearsal.exit() } else { Exit::No.code() };
    let exit = Exit::ALL.into_iter().find(|it| it.code() == exit).unwrap_or(Exit::Broken);
    let answer = json!({
        "schema": "countersign.check/1",
        "run": null,
        "target": parsed.manifest.integration.id,
        "manifest": parsed.digest,
        "profile": profile.name(),
        "tier": tier,
        "preflight": { "ok": true, "count": 0 },
        "summary": rehearsal.summary,
        "missing_sections": missing,
        "unseen": rehearsal.unseen(),
        "verdict": exit.word(),
        "exit": exit.code(),
        "findings": rehearsal.findings,
    });
    context.show(&answer, |_| text(&parsed, path, &rehearsal, &missing, args));
    Ok(exit)
}

fn text(
    parsed: &Parsed,
    path: &Path,
    rehearsal: &Rehearsal,
    missing: &[&str],
    args: &CheckArgs,
) -> Vec<String> {
    let manifest = &parsed.manifest;
    let file = path.display();
    let mut lines = vec![
        format!("{file} · {} · profile {}", manifest.integration.name, manifest.profile),
        String::new(),
    ];
    for section in missing {
        lines.push(format!("error: the profile demands {section}, and the manifest has none"));
        lines.push(String::new());
    }
    let file = file.to_string();
    for finding in rehearsal.findings.iter().filter(|it| is_shown(it, args)) {
        lines.extend(findings::lines(finding, Some(Source { parsed, file: &file }), None));
        lines.push(String::new());
    }
    lines.push(format!("  {}", findings::summary(&rehearsal.summary)));
    let unseen = rehearsal.unseen();
    if !unseen.is_empty() {
        let head = format!("  {} required controls cannot be looked at from here: ", unseen.len());
        lines.push(head.trim_end().to_owned());
        lines.extend(beside("    ", &unseen.join(" ")));
        lines.push("  next: countersign submit, and the server looks at the rest".to_owned());
    }
    lines
}
