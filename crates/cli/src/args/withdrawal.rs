//! Withdrawing trust.

use clap::{Args, ValueEnum};
use countersign_model::revoke::DrillPart;
use countersign_model::time::Period;

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
    /// The incident.
    #[arg(long)]
    pub ticket: Option<String>,
}

/// `revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The integrations.
    #[arg(required_unless_present = "retry")]
    pub targets: Vec<String>,
    /// Why.
    #[arg(short, long, required_unless_present = "retry")]
    pub reason: Option<String>,
    /// The incident.
    #[arg(long)]
    pub ticket: Option<String>,
    /// Ask and prove again what is not proven yet, and nothing else: of the targets, or of this withdrawal.
    #[arg(long, num_args = 0..=1, default_missing_value = "", value_name = "WITHDRAWAL")]
    pub retry: Option<String>,
}

/// `drill`.
#[derive(Debug, Args)]
pub(crate) struct DrillArgs {
    /// The integration.
    pub target: String,
    /// shadow says what would be done and touches nothing; live does it, and undoes it.
    #[arg(long, value_enum, default_value_t = Mode::Shadow)]
    pub mode: Mode,
    /// Some of kill-switch, rotate, subscription, offboard, audit; all when left out.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<DrillPart>,
    /// How long it may take at most, inside the hours of the rules of engagement.
    #[arg(long, default_value = "10m")]
    pub window: Period,
    /// Work so many times a second while a key is changed (50 where no number is given, 200 at most);
    /// without it, 10 times a second for 4 s.
    #[arg(long, num_args = 0..=1, default_missing_value = "50", value_name = "PER_SECOND")]
    pub load: Option<u64>,
    /// For how many seconds, 60 at most.
    #[arg(long, default_value_t = 20, requires = "load", value_name = "SECONDS")]
    pub load_for: u64,
}

/// Whether anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// It is done, and undone.
    Live,
    /// It is only said.
    Shadow,
}

impl Mode {
    /// As it travels.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shadow => "shadow",
        }
    }
}
