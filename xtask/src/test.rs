//! `cargo xtask test`: sets up what the tests need, then runs them all.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ExitCode, Stdio};

use anyhow::Context as _;

use crate::setup;
use crate::shell::cargo;

/// Passes the test runner's lines on, closes with their sum, and ends with its exit code.
///
/// A run that counted no test has not passed, whatever the runner says.
pub(crate) fn test(more: &[String]) -> anyhow::Result<ExitCode> {
    setup::set_up()?;
    let mut runner = cargo(&["test", "--workspace", "--no-fail-fast"])
        .args(more)
        .stdout(Stdio::piped())
        .spawn()
        .context("`cargo test` did not start")?;
    let mut total = Total::default();
    let lines = runner.stdout.take().context("`cargo test` has no output")?;
    let mut out = std::io::stdout().lock();
    for line in BufReader::new(lines).split(b'\n') {
        let line = line.context("the output of `cargo test` broke off")?;
        total.add(&String::from_utf8_lossy(&line));
        out.write_all(&line).and_then(|()| out.write_all(b"\n"))?;
    }
    let status = runner.wait().context("`cargo test` was lost")?;
    writeln!(out, "{} passed, {} failed", total.passed, total.failed)?;
    if status.success() && total.passed == 0 {
        return Ok(ExitCode::FAILURE);
    }
    let code = status.code().and_then(|it| u8::try_from(it).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What all test programs together came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Total {
    passed: u64,
    failed: u64,
}

impl Total {
    /// Takes a line in: `test result: ok. 6 passed; 0 failed; …`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let count = |word: &str| {
            let before = result.split(';').find_map(|it| it.trim().strip_suffix(word))?;
            before.trim().rsplit(' ').next()?.parse::<u64>().ok()
        };
        self.passed += count(" passed").unwrap_or_default();
        self.failed += count(" failed").unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let mut total = Total::default();
        for line in [
            "running 3 tests",
            "test result: ok. 6 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
            "test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            total.add(line);
        }
        assert_eq!(total, Total { passed: 18, failed: 2 });
    }
}
