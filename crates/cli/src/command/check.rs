//! `check`: every check that can run from here on a manifest, and what could not be looked at.

use std::path::Path;

use countersign_checks::rehearse::{Rehearsal, rehearse};
use countersign_model::check::Finding;
use countersign_model::declare::Parsed;
use countersign_model::require::{Catalogue, capabilities_of, computed_tier, require};
use serde_json::json;

use super::{Context, manifest, profile};
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Rehearses a certification, without a server.
pub(crate) async fn run(context: Context<'_>, path: &Path) -> Outcome {
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
    context.show(&answer, |_| text(&parsed, path, &rehearsal, &missing));
    Ok(exit)
}

fn text(parsed: &Parsed, path: &Path, rehearsal: &Rehearsal, missing: &[&str]) -> Vec<String> {
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
    for finding in &rehearsal.findings {
        lines.extend(finding_lines(finding, parsed, &file.to_string()));
        lines.push(String::new());
    }
    let summary = &rehearsal.summary;
    lines.push(format!(
        "  {} pass   {} fail   {} open   {} not applicable   of {} controls",
        summary.pass,
        summary.fail,
        summary.open + summary.inconclusive,
        summary.not_applicable,
        summary.total
    ));
    let unseen = rehearsal.unseen();
    if !unseen.is_empty() {
        lines.push(format!(
            "  {} required controls cannot be looked at from here; a server must: {}",
            unseen.len(),
            unseen.join(" ")
        ));
    }
    lines
}

fn finding_lines(finding: &Finding, parsed: &Parsed, file: &str) -> Vec<String> {
    let word = if finding.blocks { "error" } else { "note" };
    let mut lines = vec![format!("{word}[{}]: {}", finding.check, finding.sentence)];
    let place = finding.place.as_deref().and_then(|it| parsed.spans.nearest(it));
    if let Some(place) = place {
        let margin = " ".repeat(place.line.to_string().len());
        let caret = " ".repeat(place.column.saturating_sub(1));
        lines.push(format!("{margin}--> {file}:{}:{}", place.line, place.column));
        lines.push(format!("{margin} |"));
        lines.push(format!("{} | {}", place.line, place.source_line));
        lines.push(format!("{margin} | {caret}{}", "^".repeat(place.length.max(1))));
    }
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            lines.push(format!("   = {name:<10}{text}"));
        }
    };
    row("observed:", &finding.observed);
    row("expected:", &finding.expected);
    row("risk:", &finding.risk);
    row("fix:", &finding.fix);
    row("controls:", &finding.controls.join(", "));
    row("source:", &finding.source);
    lines
}
