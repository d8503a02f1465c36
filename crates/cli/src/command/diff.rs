//! `diff`: declared, granted and used against the baseline.

use serde_json::Value;

use super::{Context, list, text};
use crate::exit::Exit;
use crate::failure::Outcome;

/// Shows what differs from what was certified.
pub(crate) async fn run(context: Context<'_>, target: &str) -> Outcome {
    let answer = context.client()?.get(&format!("/v1/integrations/{target}/diff")).await?;
    context.show(&answer, lines);
    Ok(Exit::Yes)
}

/// The changes, one a line.
pub(crate) fn lines(answer: &Value) -> Vec<String> {
    let changes = list(answer, "changes");
    if changes.is_empty() {
        return vec!["nothing differs from what was certified".to_owned()];
    }
    let line = |it: &Value| {
        let sentence = text(it, "sentence");
        if !sentence.is_empty() {
            return format!("  ~ {sentence}");
        }
        let (place, path) = (text(it, "place"), text(it, "path"));
        let place = if place.is_empty() { path } else { place };
        format!(
            "  ~ {place}: {} -> {}  ({})",
            text(it, "before"),
            text(it, "after"),
            text(it, "trigger")
        )
    };
    changes.iter().map(line).collect()
}
