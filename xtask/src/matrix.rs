//! `cargo xtask matrix`: holds every check against its mutants, and prints what came of it.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::shell::cargo;

/// Runs the matrix of the sandbox; more arguments, such as `--json`, go to it.
pub(crate) fn matrix(more: &[String]) -> anyhow::Result<ExitCode> {
    let run = ["run", "--quiet", "--package", "countersign-sandbox", "--example", "matrix", "--"];
    let status = cargo(&run).args(more).status().context("`cargo run` did not start")?;
    let code = status.code().and_then(|it| u8::try_from(it).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
