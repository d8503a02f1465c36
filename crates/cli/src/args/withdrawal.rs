//! Withdrawing trust.

use clap::Args;

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
    /// Try again to prove the paths of this withdrawal.
    #[arg(long, conflicts_with = "targets")]
    pub retry: Option<String>,
}
