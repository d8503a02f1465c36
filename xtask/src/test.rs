//! `cargo xtask test`: sets up what the tests need, then runs them all.

use std::process::ExitCode;

use crate::setup;
use crate::shell::{cargo, run};

/// Ends with the test runner's own closing lines and its exit code: nothing is printed after it.
pub(crate) fn test(more: &[String]) -> anyhow::Result<ExitCode> {
    setup::set_up()?;
    let status = run(cargo(&["test", "--workspace"]).args(more))?;
    let code = status.code().and_then(|it| u8::try_from(it).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
