//! A manifest from a file, or everything that is wrong with it.

use std::path::Path;

use countersign_model::declare::diagnostic::render_all;
use countersign_model::declare::{Format, Parsed, read};

use super::{Context, read_text};
use crate::exit::Exit;
use crate::failure::Failure;

/// Reads a manifest; what keeps it from being judged is printed, with its place.
pub(crate) fn load(context: Context<'_>, path: &Path) -> Result<Parsed, Failure> {
    let text = read_text(path)?;
    let file = path.display().to_string();
    read(&text, Format::of_file(&file)).map_err(|problems| {
        context.ui.say(render_all(&problems, &file));
        let many = if problems.len() == 1 { "problem" } else { "problems" };
        Failure::new(Exit::NotJudged, format!("{} {many}; nothing was judged", problems.len()))
    })
}
