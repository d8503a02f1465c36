//! Runs the rules of this workspace: `cargo xtask lint`, `matrix`, `test`, `tidy`.

mod lint;
mod matrix;
mod setup;
mod shell;
mod test;
mod tidy;

use std::process::ExitCode;

use shell::say;

const USAGE: &str = "\
usage: cargo xtask <command>

  lint    formatting, clippy, rustdoc and tidy; every warning is an error
  matrix  holds every check against its mutants and prints what came of it (--json for a document)
  test    sets up what the tests need, then runs them all (more arguments go to `cargo test`)
  tidy    the rules of ARCHITECTURE.md: floors, purity, sizes, texts";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let done = match arguments.first().map(String::as_str) {
        Some("lint") if rest.is_empty() => lint::lint(),
        Some("matrix") => matrix::matrix(rest),
        Some("test") => test::test(rest),
        Some("tidy") if rest.is_empty() => tidy::tidy(),
        _ => {
            say(USAGE);
            return ExitCode::from(2);
        }
    };
    done.unwrap_or_else(|error| {
        say(&format!("xtask: {error:#}"));
        ExitCode::FAILURE
    })
}
