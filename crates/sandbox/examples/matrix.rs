//! Prints the catch matrix: `cargo xtask matrix [--json]`.

use std::io::Write as _;
use std::process::ExitCode;

use countersign_sandbox::matrix;

#[tokio::main]
async fn main() -> ExitCode {
    let as_json = std::env::args().skip(1).any(|it| it == "--json");
    let mut out = std::io::stdout();
    match matrix::run(None).await {
        Ok(matrix) => {
            let text = if as_json { matrix.document().to_string() } else { matrix.table() };
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
