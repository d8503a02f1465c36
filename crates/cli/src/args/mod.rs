//! The command line, as it is typed: one file for each family of commands.

mod administration;
mod audit;
mod certification;
#[cfg(test)]
mod reference;
mod stage;
mod withdrawal;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use administration::{
    EvidenceVerb, FindingsAs, ImportArgs, IntegrationVerb, KeyVerb, LogCheckArgs, LogVerb,
    ProfileVerb, WaiverVerb,
};
pub(crate) use audit::{DecideArgs, GateVerb, VerifyArgs};
pub(crate) use certification::{
    CertifyArgs, CheckArgs, InitArgs, PathArgs, ReviewArgs, StatusArgs, WordArgs,
};
pub(crate) use stage::{
    BusinessArgs, LogFormat, MoreArgs, SandboxArgs, SandboxVerb, ServeArgs, ServerVerb, SetArgs,
    Switch,
};
pub(crate) use withdrawal::{DrillArgs, Mode, RevokeArgs, SuspendArgs};

use crate::exit::Exit;
use crate::ui::Color;

/// Countersign decides which outside integrations may influence access in production, proves why, and withdraws that trust within seconds.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, arg_required_else_help = false)]
pub(crate) struct Arguments {
    /// What to do; without it, the most likely next commands are shown.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Print one JSON document on stdout.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print data only, no words.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Never ask; fail instead.
    #[arg(long, global = true)]
    pub no_input: bool,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Set by the environment to switch colour off.
    #[arg(long = "no-color-env", env = "NO_COLOR", hide = true, global = true)]
    pub no_color: Option<String>,
    /// Exit 0 for these words of the exit table: `no,pending`.
    #[arg(long, global = true, value_delimiter = ',', value_parser = Exit::from_word)]
    pub exit_zero_on: Vec<Exit>,
    /// The server's address.
    #[arg(long, global = true, env = "COUNTERSIGN_SERVER", hide_env_values = true)]
    pub server: Option<String>,
    /// A file that holds the token for the server; the token itself is never an argument.
    #[arg(long, global = true, env = "COUNTERSIGN_TOKEN_FILE", hide_env_values = true)]
    pub token_file: Option<PathBuf>,
    /// How long a request to the server may take, in seconds.
    #[arg(long, global = true, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}

/// Everyday work, verb first; administration, noun first.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a manifest from here, or an integration by its server: `countersign check acme-helpdesk`.
    Check(CheckArgs),
    /// Write a commented manifest: `countersign init --like reseller --id northwind --domain northwind.example --owner a@example.com --holds oauth-client`.
    Init(InitArgs),
    /// Send a manifest for certification: `countersign submit countersign.toml`.
    Submit(PathArgs),
    /// Show the queue or a packet, or decide: `countersign review acme-helpdesk --decide approve -r "seen" --key me.json`.
    Review(ReviewArgs),
    /// Plan a certificate, then sign it: `countersign certify acme-helpdesk --plan`.
    Certify(CertifyArgs),
    /// Show state, reasons and dates: `countersign status`.
    Status(StatusArgs),
    /// Say what a check, control, reason, state or id means: `countersign explain refuses_unsigned_webhook`.
    Explain(WordArgs),
    /// Show declared, granted and used against the baseline: `countersign diff acme-helpdesk`.
    Diff(WordArgs),
    /// Deny for a time: `countersign suspend acme-helpdesk --for 4h -r "odd traffic"`.
    Suspend(SuspendArgs),
    /// Agree to end a suspension (two people): `countersign resume acme-helpdesk`.
    Resume(WordArgs),
    /// Deny now, for good: `countersign revoke acme-helpdesk -r "refresh replay" --ticket INC-1`.
    Revoke(RevokeArgs),
    /// Rehearse withdrawal, rotation and offboarding, with a stopwatch: `countersign drill payrun-hr --mode live --window 10m`.
    Drill(DrillArgs),
    /// See the whole thing on this machine, with four integrations: `countersign demo`.
    Demo,
    /// Ask whether the work can be done from here: `countersign doctor`.
    Doctor,
    /// Verify packs, decisions, certificates and snapshots, offline: `countersign verify pack.json --keys keys.json`.
    Verify(VerifyArgs),
    /// What is demanded: `countersign profile show countersign.toml`.
    Profile {
        /// What to do.
        #[command(subcommand)]
        verb: ProfileVerb,
    },
    /// Exceptions with an end: `countersign waiver list`.
    Waiver {
        /// What to do.
        #[command(subcommand)]
        verb: WaiverVerb,
    },
    /// One integration: `countersign integration proof acme-helpdesk`.
    Integration {
        /// What to do.
        #[command(subcommand)]
        verb: IntegrationVerb,
    },
    /// What checks said and saw: `countersign evidence show ev_…`.
    Evidence {
        /// What to do.
        #[command(subcommand)]
        verb: EvidenceVerb,
    },
    /// Keys of people: `countersign key create --name lena --out lena.json`.
    Key {
        /// What to do.
        #[command(subcommand)]
        verb: KeyVerb,
    },
    /// Logs, ours and the platform's: `countersign log check token-log.jsonl --manifest countersign.toml`.
    Log {
        /// What to do.
        #[command(subcommand)]
        verb: LogVerb,
    },
    /// Gates: `countersign gate status`.
    Gate {
        /// What to do.
        #[command(subcommand)]
        verb: GateVerb,
    },
    /// The server: `countersign server run --config server.toml`.
    Server {
        /// What to do.
        #[command(subcommand)]
        verb: ServerVerb,
    },
    /// An identity platform and four partners on this machine: `countersign sandbox run --folder stage`.
    Sandbox {
        /// What to do.
        #[command(subcommand)]
        verb: SandboxVerb,
    },
}

impl Command {
    /// Whether it runs until it is told to end, and so hears signals itself.
    pub(crate) fn is_service(&self) -> bool {
        matches!(
            self,
            Self::Server { verb: ServerVerb::Run(_) } | Self::Sandbox { verb: SandboxVerb::Run(_) }
        )
    }
}
