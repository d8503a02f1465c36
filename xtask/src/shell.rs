//! Running other programs, and saying what happens.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::Context as _;

/// Says a line to whoever started this; a closed terminal is no reason to stop.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// This workspace's cargo, at its root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a program to its end, with its output where ours goes.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<ExitStatus> {
    command.status().with_context(|| format!("`{}` did not start", words(command)))
}

/// Runs a program to its end and takes what it printed; not to succeed is an error.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("`{}` did not start", words(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::bail!("`{}` ended with {}: {}", words(command), output.status, said.trim());
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed no text", words(command)))
}

/// Whether a program is there and answers.
pub(crate) fn answers(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|it| it.status.success())
}

/// A command as people type it.
pub(crate) fn words(command: &Command) -> String {
    let all = std::iter::once(command.get_program()).chain(command.get_args());
    all.map(|it| it.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
