//! `explain`: what a word means, or what is known of an id.

mod record;
mod words;

use serde_json::{Value, json};

use super::{Context, list, status, text};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::beside;

pub(super) use record::{entries, is_id};
#[cfg(test)]
pub(super) use words::exit as exit_means;

/// Explains a word that stands on its own, else what a server knows under that name.
pub(crate) async fn run(context: Context<'_>, word: &str) -> Outcome {
    let word = word.trim();
    if let Some(found) = words::find(word) {
        let rows: Vec<Value> =
            found.rows.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
        let answer = json!({
            "schema": "countersign.explain/1", "kind": found.kind, "word": found.word, "rows": rows,
        });
        context.show(&answer, lines);
        return Ok(Exit::Yes);
    }
    if is_id(word) {
        return record::run(context, word).await;
    }
    if context.arguments.server.is_some() {
        let answer = context.client()?.get(&format!("/v1/integrations/{word}")).await?;
        context.show(&answer, |it| {
            let mut lines = status::one(it);
            for reason in list(it, "reasons").iter().filter_map(Value::as_str) {
                if let Some(found) = words::find(reason) {
                    let said = found.rows.first().map_or("", |it| it.1.as_str());
                    lines.extend(beside(&format!("  {reason}: "), said));
                }
            }
            lines
        });
        return Ok(Exit::Yes);
    }
    let text = format!("`{word}` is no check, control, reason, state, outcome, trigger or exit");
    Err(Failure::new(Exit::Usage, text)
        .help("names stand in the findings of `countersign check`; ids need --server"))
}

fn lines(answer: &Value) -> Vec<String> {
    let mut lines = vec![format!("{}  ({})", text(answer, "word"), text(answer, "kind"))];
    let rows = list(answer, "rows");
    let width = rows.iter().map(|it| text(it, "name").len() + 2).max().unwrap_or_default().max(10);
    for row in rows {
        lines.extend(beside(&format!("  {:<width$}", text(row, "name")), text(row, "text")));
    }
    lines
}
