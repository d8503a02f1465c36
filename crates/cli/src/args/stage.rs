//! The server, and a sandbox to try it with.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::Period;

/// `server`.
#[derive(Debug, Subcommand)]
pub(crate) enum ServerVerb {
    /// Serve until told to stop: `countersign server run --config server.toml`.
    Run(ServeArgs),
}

/// `server run`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The settings.
    #[arg(long, default_value = "server.toml")]
    pub config: PathBuf,
    /// How the log on stderr is written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON document a line.
    Json,
    /// For people.
    Text,
}

/// `sandbox`.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxVerb {
    /// Start platform, partners and gates, and write the settings of their server: `countersign sandbox run --folder stage`.
    Run(SandboxArgs),
    /// Make a partner right, wrong, down, or faulty in named ways: `countersign sandbox set acme-helpdesk wrong`.
    Set(SetArgs),
    /// Let a partner do ordinary work, and count what the gate admits: `countersign sandbox business acme-helpdesk -n 20`.
    Business(BusinessArgs),
    /// Let an administrator grant what a partner's changed manifest asks for: `countersign sandbox grant acme-helpdesk`.
    Grant(MoreArgs),
    /// Let a partner use what its changed manifest asks for: `countersign sandbox attempt acme-helpdesk`.
    Attempt(MoreArgs),
    /// Whether the partners whose work is observed go on working: `countersign sandbox busy on`.
    Busy {
        /// Yes or no.
        #[arg(value_enum)]
        switch: Switch,
        #[command(flatten)]
        stage: FolderArgs,
    },
    /// Publish a file below a partner's `/.well-known/countersign/`: `countersign sandbox prove acme-helpdesk FILE TEXT`.
    Prove {
        /// The integration.
        target: String,
        /// The file's name.
        file: String,
        /// What it holds.
        text: String,
        #[command(flatten)]
        stage: FolderArgs,
    },
    /// Show the partners, their faults and the gates: `countersign sandbox list`.
    List(FolderArgs),
}

/// `sandbox run`.
#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    #[command(flatten)]
    pub stage: FolderArgs,
    /// Start the server in the same process too.
    #[arg(long)]
    pub with_server: bool,
    /// The partners do no work by themselves.
    #[arg(long)]
    pub idle: bool,
    /// Leave everything in the folder at the end.
    #[arg(long)]
    pub keep: bool,
    /// How long a gate may answer without hearing from the server, where the folder is new.
    #[arg(long, default_value = "5s")]
    pub lease: Period,
    /// How long the server waits for gates and proofs, where the folder is new.
    #[arg(long, default_value = "10s")]
    pub wait: Period,
    /// How the log on stderr is written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,
}

/// Where the stage is.
#[derive(Debug, Args)]
pub(crate) struct FolderArgs {
    /// The stage's folder: settings, keys, tokens.
    #[arg(long, default_value = ".")]
    pub folder: PathBuf,
}

/// `sandbox set`.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The integration.
    pub target: String,
    /// right, wrong, down, or faults by name: `log-gap,overlong-tokens`.
    #[arg(required = true, value_delimiter = ',')]
    pub words: Vec<String>,
    #[command(flatten)]
    pub stage: FolderArgs,
}

/// `sandbox business`.
#[derive(Debug, Args)]
pub(crate) struct BusinessArgs {
    /// The integration.
    pub target: String,
    /// Which tenant: certified is production, trial is the test tenant.
    #[arg(long, value_enum, default_value_t = LaneWord::Certified)]
    pub lane: LaneWord,
    /// How many pieces of work.
    #[arg(short, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub n: u32,
    #[command(flatten)]
    pub stage: FolderArgs,
}

/// `sandbox grant` and `sandbox attempt`.
#[derive(Debug, Args)]
pub(crate) struct MoreArgs {
    /// The integration.
    pub target: String,
    /// Which tenant: certified is production, trial is the test tenant.
    #[arg(long, value_enum, default_value_t = LaneWord::Certified)]
    pub lane: LaneWord,
    #[command(flatten)]
    pub stage: FolderArgs,
}

/// A lane, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LaneWord {
    /// In front of production: only what two people approved.
    Certified,
    /// In front of the test tenant: whatever was submitted.
    Trial,
}

impl From<LaneWord> for Lane {
    fn from(word: LaneWord) -> Self {
        match word {
            LaneWord::Certified => Self::Certified,
            LaneWord::Trial => Self::Trial,
        }
    }
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// No.
    Off,
    /// Yes.
    On,
}
