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
    let mut infos = countersign_checks::registry::CHECKS.iter().map(|it| it.info());
    if let Some(info) = infos.find(|it| it.name == word || it.case == Some(word)) {
        let answer = json!({
            "schema": "countersign.explain/1", "kind": "check", "word": info.name,
            "case": info.case, "controls": info.controls, "question": info.question,
            "risk": info.risk, "fix": info.fix, "source": info.source,
        });
        context.show(&answer, |_| {
            vec![
                info.name.to_owned(),
                format!("  question  {}", info.question),
                format!("  risk      {}", info.risk),
                format!("  fix       {}", info.fix),
                format!("  controls  {}", info.controls.join(", ")),
                format!("  source    {}", info.source),
            ]
        });
        return Ok(Exit::Yes);
    }
    Err(Failure::new(Exit::Usage, format!("`{word}` is no check and no reason code"))
        .help("the names stand in the findings of `countersign check`"))
}
