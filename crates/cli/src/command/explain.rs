//! `explain`: what a check or a reason code means.

use countersign_model::enforce::Reason;
use serde_json::json;

use super::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Explains a word.
pub(crate) fn run(context: Context<'_>, word: &str) -> Outcome {
    if let Some(reason) = Reason::ALL.into_iter().find(|it| it.code() == word) {
        let answer = json!({
            "schema": "countersign.explain/1", "kind": "reason", "word": word, "text": reason.explain(),
        });
        context.show(&answer, |_| vec![format!("{word}: {}", reason.explain())]);
        return Ok(Exit::Yes);
    }
    Err(Failure::new(Exit::Usage, format!("`{word}` is no reason code"))
        .help("the names stand in the findings of `countersign check`"))
}
