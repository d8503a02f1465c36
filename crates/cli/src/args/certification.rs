//! Everyday work on a certification.

use std::path::PathBuf;

use clap::Args;

/// `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// A manifest, or an integration at the server; ./countersign.toml when left out.
    pub target: Option<String>,
    /// Run these alone, by check, case or control; what is not run keeps its evidence while that is fresh. Of a manifest in a file everything is looked at and these are shown.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Run alone what failed or was left open the last time, and show what stands in the way of a certificate.
    #[arg(long)]
    pub failed: bool,
    /// Run it so often, and tell what changes from run to run: the server counts its worst, and nobody has judged it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub repeat: u32,
    /// Edit the manifest where that mends a finding.
    #[arg(long)]
    pub fix: bool,
    /// The manifest in a file, so that findings of the server show their line.
    #[arg(long)]
    pub manifest: Option<PathBuf>,
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

/// `status`.
#[derive(Debug, Default, Args)]
pub(crate) struct StatusArgs {
    /// An integration; all when left out.
    pub target: Option<String>,
    /// Show alone what waits for a person.
    #[arg(long, conflicts_with = "target")]
    pub needs_me: bool,
    /// Show it again at each change, until Ctrl-C.
    #[arg(long)]
    pub watch: bool,
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
