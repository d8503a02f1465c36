//! `countersign-bench`: how long the checks take on partners of this machine.

mod check;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use countersign_sandbox::Kind;

/// How long the checks take on partners of this machine.
#[derive(Debug, Parser)]
#[command(name = "countersign-bench", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every check that applies, over sockets, and say how long it took: `countersign-bench check`.
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// These partners alone, by their integration.
    #[arg(value_parser = kind)]
    partners: Vec<Kind>,
    /// Print one JSON document on stdout.
    #[arg(long)]
    json: bool,
}

fn kind(name: &str) -> Result<Kind, String> {
    let names: Vec<&str> = Kind::ALL.iter().map(|it| it.slug()).collect();
    let known = Kind::ALL.into_iter().find(|it| it.slug() == name);
    known.ok_or_else(|| format!("not one of {}", names.join(", ")))
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Check(args) = Arguments::parse().command;
    let kinds = if args.partners.is_empty() { Kind::ALL.to_vec() } else { args.partners };
    let _installed_before = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut rows = Vec::new();
    for kind in kinds {
        match check::measure(kind).await {
            Ok(it) => rows.push(it),
            Err(error) => {
                let _told = writeln!(std::io::stderr(), "{}: {error}", kind.slug());
                return ExitCode::FAILURE;
            }
        }
    }
    let text = if args.json { check::document(&rows).to_string() } else { check::table(&rows) };
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) if rows.iter().all(check::Measured::is_within) => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(3),
        Err(_) => ExitCode::FAILURE,
    }
}
