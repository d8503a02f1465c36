//! `submit`: sends a manifest for certification.

use std::path::Path;

use serde_json::json;

use super::{Context, joined, manifest, read_text, text};
use crate::exit::Exit;
use crate::failure::Outcome;

/// Sends a manifest for certification.
pub(crate) async fn run(context: Context<'_>, path: &Path) -> Outcome {
    // What the server would refuse is shown here with its line.
    let _parsed = manifest::load(context, path)?;
    let format = if path.extension().is_some_and(|it| it == "json") { "json" } else { "toml" };
    let body = json!({ "manifest": read_text(path)?, "format": format });
    let answer = context.client()?.post("/v1/submissions", &body).await?;
    context.show(&answer, |it| {
        let triggers = joined(it, "triggers");
        let mut lines = vec![format!(
            "submitted  {}  manifest {}  tier {}  {}",
            text(it, "slug"),
            text(it, "manifest"),
            text(it, "tier"),
            text(it, "state")
        )];
        if !triggers.is_empty() {
            lines.push(format!("reopened by {triggers}"));
        }
        lines.push(format!("hosts: countersign integration proof {}", text(it, "slug")));
        lines.push(format!("next: countersign check {}", text(it, "slug")));
        lines
    });
    Ok(Exit::Yes)
}
