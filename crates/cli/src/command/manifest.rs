//! A manifest from a file, or everything that is wrong with it.

use std::path::Path;

use countersign_model::declare::{Format, Parsed, parse};

use super::{Context, read_text};
use crate::exit::Exit;
use crate::failure::Failure;

/// Reads a manifest; what keeps it from being judged is printed, with its place.
pub(crate) fn load(context: Context<'_>, path: &Path) -> Result<Parsed, Failure> {
    let text = read_text(path)?;
    let json = path.extension().is_some_and(|it| it == "json");
    let format = if json { Format::Json } else { Format::Toml };
    parse(&text, format).map_err(|problems| {
        let file = path.display().to_string();
        for problem in &problems {
            context.ui.say(problem.render(&file));
        }
        let many = if problems.len() == 1 { "problem" } else { "problems" };
        Failure::new(Exit::NotJudged, format!("{} {many}; nothing was judged", problems.len()))
    })
}
