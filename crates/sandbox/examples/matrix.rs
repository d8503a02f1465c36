//! Prints the catch matrix: `cargo xtask matrix [--json] [CHECK …]`; with names, of these checks alone.

use std::io::Write as _;
use std::process::ExitCode;

use countersign_sandbox::matrix;

#[tokio::main]
async fn main() -> ExitCode {
    let (flags, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|it| it.starts_with("--"));
    let as_json = flags.iter().any(|it| it == "--json");
    let only = (!names.is_empty()).then(|| names.into_iter().collect());
    let mut out = std::io::stdout();
    match matrix::run(only.as_ref()).await {
        Ok(matrix) => {
            let text = if as_json { matrix.document().to_string() } else { matrix.table() };
            for line in matrix.missed().iter().chain(&matrix.false_alarms()) {
                let _told = writeln!(std::io::stderr(), "{line}");
            }
            let is_right = matrix.missed().is_empty() && matrix.false_alarms().is_empty();
            match writeln!(out, "{text}") {
                Ok(()) if is_right => ExitCode::SUCCESS,
                _ => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            let _told = writeln!(std::io::stderr(), "matrix: {error}");
            ExitCode::FAILURE
        }
    }
}
