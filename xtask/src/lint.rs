//! `cargo xtask lint`: formatting, clippy, rustdoc and tidy.

use std::process::ExitCode;

use crate::shell::{cargo, run, say, words};
use crate::tidy;

/// Runs all of them, even when one fails, so that one run shows everything.
pub(crate) fn lint() -> anyhow::Result<ExitCode> {
    let mut documented = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    documented.env("RUSTDOCFLAGS", "-D warnings");
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    let steps = [cargo(&["fmt", "--all", "--check"]), cargo(&clippy), documented];
    let mut failed = Vec::new();
    for mut step in steps {
        say(&format!("lint: {}", words(&step)));
        if !run(&mut step)?.success() {
            failed.push(words(&step));
        }
    }
    say("lint: tidy");
    if tidy::tidy()? != ExitCode::SUCCESS {
        failed.push("tidy".to_owned());
    }
    for step in &failed {
        say(&format!("lint: FAILED {step}"));
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
