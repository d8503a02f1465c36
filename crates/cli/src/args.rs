//! The command line, as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
    #[arg(long, global = true, env = "COUNTERSIGN_SERVER")]
    pub server: Option<String>,
    /// A file that holds the token for the server; the token itself is never an argument.
    #[arg(long, global = true, env = "COUNTERSIGN_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// How long a request to the server may take, in seconds.
    #[arg(long, global = true, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}

/// Everyday work, verb first; administration, noun first.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every check that can run from here on a manifest: `countersign check countersign.toml`.
    Check(PathArgs),
    /// Write a commented manifest: `countersign init --like reseller --id northwind --domain northwind.example --owner a@example.com --holds oauth-client`.
    Init(InitArgs),
    /// Send a manifest for certification: `countersign submit countersign.toml`.
    Submit(PathArgs),
    /// Show the queue or a packet, or decide: `countersign review acme-helpdesk --decide approve -r "seen" --key me.json`.
    Review(ReviewArgs),
    /// Plan a certificate, then sign it: `countersign certify acme-helpdesk --plan`.
    Certify(CertifyArgs),
    /// Show state, reasons and dates: `countersign status`.
    Status(NameArgs),
    /// Say what a check, a reason code or a state means: `countersign explain refuses_unsigned_webhook`.
    Explain(WordArgs),
    /// Show declared, granted and used against the baseline: `countersign diff acme-helpdesk`.
    Diff(WordArgs),
    /// Deny for a time: `countersign suspend acme-helpdesk --for 4h -r "odd traffic"`.
    Suspend(SuspendArgs),
    /// Agree to end a suspension (two people): `countersign resume rev_…`.
    Resume(WordArgs),
    /// Deny now, for good: `countersign revoke acme-helpdesk -r "refresh replay" --ticket INC-1`.
    Revoke(RevokeArgs),
    /// What is demanded: `countersign profile show countersign.toml`.
    Profile {
        /// What to do.
        #[command(subcommand)]
        verb: ProfileVerb,
    },
    /// Keys of people: `countersign key create --name lena --out lena.json`.
    Key {
        /// What to do.
        #[command(subcommand)]
        verb: KeyVerb,
    },
    /// Logs, offline: `countersign log check token-log.jsonl --manifest countersign.toml`.
    Log {
        /// What to do.
        #[command(subcommand)]
        verb: LogVerb,
    },
}

/// A manifest.
#[derive(Debug, Args)]
pub(crate) struct PathArgs {
    /// The manifest.
    #[arg(default_value = "countersign.toml")]
    pub path: PathBuf,
}

/// One word.
#[derive(Debug, Args)]
pub(crate) struct WordArgs {
    /// The target.
    pub target: String,
}

/// At most one name.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// An integration; all when left out.
    pub target: Option<String>,
}

/// `review`.
#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// An integration; the queue when left out.
    pub target: Option<String>,
    /// approve, right-size, rotate, reassign or disable.
    #[arg(long, requires = "reason")]
    pub decide: Option<String>,
    /// Scopes that are not granted, for right-size.
    #[arg(long, value_delimiter = ',')]
    pub without: Vec<String>,
    /// Why.
    #[arg(short, long)]
    pub reason: Option<String>,
    /// The file with your key.
    #[arg(long)]
    pub key: Option<PathBuf>,
    /// A file with the key's passphrase; asked for at a terminal when left out.
    #[arg(long)]
    pub passphrase_file: Option<PathBuf>,
}

/// `certify`.
#[derive(Debug, Args)]
pub(crate) struct CertifyArgs {
    /// An integration, for `--plan`.
    pub target: Option<String>,
    /// Show what would be signed.
    #[arg(long, conflicts_with = "apply")]
    pub plan: bool,
    /// Sign what this plan shows.
    #[arg(long, requires = "digest")]
    pub apply: Option<String>,
    /// The plan's digest, as it was shown.
    #[arg(long)]
    pub digest: Option<String>,
}

/// `suspend`.
#[derive(Debug, Args)]
pub(crate) struct SuspendArgs {
    /// The integration.
    pub target: String,
    /// For how long: `4h`.
    #[arg(long = "for")]
    pub period: String,
    /// Why.
    #[arg(short, long)]
    pub reason: String,
}

/// `revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The integration.
    #[arg(required_unless_present = "retry")]
    pub target: Option<String>,
    /// Why.
    #[arg(short, long, required_unless_present = "retry")]
    pub reason: Option<String>,
    /// The incident.
    #[arg(long)]
    pub ticket: Option<String>,
    /// Try again to prove the paths of this withdrawal.
    #[arg(long, conflicts_with = "target")]
    pub retry: Option<String>,
}

/// `key`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Make a key, encrypted with a passphrase.
    Create {
        /// Whose key it is.
        #[arg(long)]
        name: String,
        /// Where to write it; must not exist.
        #[arg(long)]
        out: PathBuf,
        /// A file with the passphrase; asked for at a terminal when left out.
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
}

/// `log`.
#[derive(Debug, Subcommand)]
pub(crate) enum LogVerb {
    /// Judge token logs (JSON lines) against the declared use of a manifest.
    Check {
        /// The logs; `-` is standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The manifest.
        #[arg(long, default_value = "countersign.toml")]
        manifest: PathBuf,
    },
    /// Verify a folder of tiles and its checkpoint.
    Verify {
        /// The folder.
        folder: PathBuf,
        /// The log's verifier key, `name+hash+key`, or a file that holds it.
        #[arg(long)]
        vkey: String,
        /// An earlier checkpoint that must be a part of this log.
        #[arg(long)]
        since: Option<PathBuf>,
    },
}

/// `profile`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileVerb {
    /// List the profiles.
    List,
    /// Show what a manifest's profile asks of it, control by control.
    Show(PathArgs),
}

/// `init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The kind of partner: saas-vendor, payroll-partner, reseller, marketplace-app or other.
    #[arg(long)]
    pub like: Option<String>,
    /// The integration's name here.
    #[arg(long)]
    pub id: Option<String>,
    /// Its name for people; the same as `--id` when left out.
    #[arg(long)]
    pub name: Option<String>,
    /// The partner's domain.
    #[arg(long)]
    pub domain: Option<String>,
    /// Who owns it here: a person's mail address.
    #[arg(long)]
    pub owner: Option<String>,
    /// Who runs it here; the same person when left out.
    #[arg(long)]
    pub technical_owner: Option<String>,
    /// What it holds: oauth-client, service-account, key, certificate, webhook, events.
    #[arg(long, value_delimiter = ',')]
    pub holds: Vec<String>,
    /// How it may be cut; as usual for what it holds when left out.
    #[arg(long, value_delimiter = ',')]
    pub revoke: Vec<String>,
    /// Where to write it; must not exist.
    #[arg(long, default_value = "countersign.toml")]
    pub out: PathBuf,
}
