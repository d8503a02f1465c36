//! `cargo xtask tidy`: the rules of ARCHITECTURE.md, run by a machine.

mod floors;
mod pure;
mod texts;

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::shell::{cargo, output, root, say};

/// A file of the workspace: its path from the root, and its text.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Whether it is Rust.
    pub(crate) fn is_source(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|it| it == "rs")
    }
}

/// Says every rule that is broken.
pub(crate) fn tidy() -> anyhow::Result<ExitCode> {
    let metadata =
        output(&mut cargo(&["metadata", "--no-deps", "--offline", "--format-version=1"]))?;
    let packages = floors::packages(&metadata)?;
    let files = files(&root())?;
    let mut problems = floors::problems(&packages);
    problems.extend(pure::problems(&packages, &files));
    problems.extend(texts::problems(&files));
    for problem in &problems {
        say(&format!("tidy: {problem}"));
    }
    say(&format!(
        "tidy: {} packages, {} files, {} problems",
        packages.len(),
        files.len(),
        problems.len()
    ));
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every text that git knows, or would take in.
fn files(root: &Path) -> anyhow::Result<Vec<File>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = output(Command::new("git").args(arguments).current_dir(root))?;
    // A file that is deleted and still in the index, or that is no text, has nothing to be read.
    let read = |path: &str| {
        let text = std::fs::read_to_string(root.join(path)).ok()?;
        Some(File { path: path.to_owned(), text })
    };
    Ok(listed.split('\0').filter(|it| !it.is_empty()).filter_map(read).collect())
}
