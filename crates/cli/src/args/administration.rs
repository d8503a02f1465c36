//! Administration, noun first.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{PathArgs, WordArgs};

/// `integration`.
#[derive(Debug, Subcommand)]
pub(crate) enum IntegrationVerb {
    /// Show what the partner publishes at each host, so that hostile requests may go there: `countersign integration proof acme-helpdesk`.
    Proof(WordArgs),
    /// List all integrations: `countersign integration list`.
    List,
    /// Show one integration, with everything that is known of it: `countersign integration show acme-helpdesk`.
    Show(WordArgs),
    /// Hold everything that a platform has against what is declared, and draft a manifest for the rest: `countersign integration import --platform production --out drafts`.
    Import(ImportArgs),
}

/// `integration import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// production or test.
    #[arg(long, value_parser = ["production", "test"])]
    pub platform: String,
    /// A folder for the drafts; what is there already stays as it is.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// A file with everybody who may own a client, one a line; a client of anybody else is orphaned.
    #[arg(long)]
    pub owners: Option<PathBuf>,
    /// Who answers for a client for the next 90 days, until somebody declares it: `--adopt old-sync=lena`.
    #[arg(long, value_name = "CLIENT=OWNER", value_parser = pair)]
    pub adopt: Vec<(String, String)>,
    /// How many days a client may be unused; the catalogue's figure when left out.
    #[arg(long)]
    pub idle_days: Option<u32>,
}

/// Two words around the last `=`: ids of clients may hold one.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((client, owner)) if !client.is_empty() && !owner.is_empty() => {
            Ok((client.to_owned(), owner.to_owned()))
        }
        _ => Err("write it as CLIENT=OWNER".to_owned()),
    }
}

/// `key`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Make a key, encrypted with a passphrase: `countersign key create --name lena --out lena.json`.
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
    /// List the key files of a folder, and whether the server counts their owner's signature: `countersign key list keys`.
    List {
        /// The folder.
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
}

/// `log check`.
#[derive(Debug, clap::Args)]
pub(crate) struct LogCheckArgs {
    /// The logs; a folder stands for all files below it, `logs/*.gz` for those that match, `-` is standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The manifest.
    #[arg(long, default_value = "countersign.toml")]
    pub(crate) manifest: PathBuf,
    /// Where a client's running numbers begin and end, from a counter outside the log: `acme=1..512`.
    #[arg(long, value_name = "CLIENT=FIRST..LAST", value_parser = numbers)]
    pub(crate) numbers: Vec<(String, u64, u64)>,
    /// A file with requests of our own that the log has to show, each line `CLIENT TOKEN_ID`.
    #[arg(long)]
    pub(crate) canaries: Option<PathBuf>,
    /// Write a picture of the log over time to this file.
    #[arg(long)]
    pub(crate) svg: Option<PathBuf>,
    /// Write every finding to standard output: as JSON lines, or as SARIF 2.1.0.
    #[arg(long)]
    pub(crate) output: Option<FindingsAs>,
}

/// What findings are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FindingsAs {
    /// A JSON object a line.
    Jsonl,
    /// SARIF 2.1.0.
    Sarif,
}

/// `acme=1..512`.
fn numbers(text: &str) -> Result<(String, u64, u64), String> {
    let parts = || {
        let (client, range) = text.rsplit_once('=')?;
        let (first, last) = range.split_once("..")?;
        Some((client.to_owned(), first.parse().ok()?, last.parse().ok()?))
    };
    let read = parts().filter(|it: &(String, u64, u64)| !it.0.is_empty() && it.1 <= it.2);
    read.ok_or_else(|| format!("`{text}` is not such as acme=1..512"))
}

/// `log`.
#[derive(Debug, Subcommand)]
pub(crate) enum LogVerb {
    /// Judge token and access logs against the declared use of a manifest: `countersign log check token-log.jsonl`.
    Check(LogCheckArgs),
    /// Copy the server's published log into a folder, to be verified offline: `countersign log export --out log`.
    Export {
        /// The folder; made when it is not there.
        #[arg(long)]
        out: PathBuf,
    },
    /// Prove that entries stand in the server's log: `countersign log prove crt_… --vkey log.vkey`.
    Prove {
        /// An entry's index, or an id: every entry that names it is proven.
        entry: String,
        /// The log's verifier key, or a file that holds it; the server's own when left out.
        #[arg(long)]
        vkey: Option<String>,
        /// A folder for entries and proof files.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Show an entry of the server's log, or all that name an id: `countersign log show 17`.
    Show {
        /// An entry's index, or an id.
        entry: String,
    },
    /// Show the newest entries of the server's log: `countersign log tail -n 20`.
    Tail {
        /// How many.
        #[arg(short, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
        n: u64,
    },
    /// Verify a folder of tiles and its checkpoint: `countersign log verify log --vkey log.vkey`.
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
    /// List the profiles: `countersign profile list`.
    List,
    /// Show what a manifest's profile asks of it, control by control: `countersign profile show countersign.toml`.
    Show(PathArgs),
}

/// `waiver`.
#[derive(Debug, Subcommand)]
pub(crate) enum WaiverVerb {
    /// Ask for an exception to one control: `countersign waiver request acme-helpdesk CTS-LOG-04 --until 30d -r "retry path drops the order"`.
    Request {
        /// The integration.
        target: String,
        /// The control.
        control: String,
        /// When it ends: a day, a moment, or a period from now.
        #[arg(long)]
        until: String,
        /// Why.
        #[arg(short, long)]
        reason: String,
    },
    /// Grant what somebody else asked for: `countersign waiver grant wvr_…`.
    Grant {
        /// The waiver.
        waiver: String,
    },
    /// List all: `countersign waiver list`.
    List,
    /// End one early: `countersign waiver end wvr_…`.
    End {
        /// The waiver.
        waiver: String,
    },
}

/// `evidence`.
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceVerb {
    /// Show what was said and seen, and judge it again here: `countersign evidence show ev_…`.
    Show {
        /// The evidence.
        evidence: String,
    },
    /// Write a pack that verifies without the server: `countersign evidence export acme-helpdesk --out pack.json`.
    Export {
        /// The integration.
        target: String,
        /// Where to write the pack; must not exist.
        #[arg(long)]
        out: PathBuf,
        /// Where to write the server's public keys, to be compared with what came another way; must not exist.
        #[arg(long)]
        keys_out: Option<PathBuf>,
    },
}
