//! Administration, noun first.

use std::path::PathBuf;

use clap::Subcommand;

use super::PathArgs;

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

/// `log`.
#[derive(Debug, Subcommand)]
pub(crate) enum LogVerb {
    /// Judge token and access logs (JSON lines, packed or not) against the declared use of a manifest: `countersign log check token-log.jsonl`.
    Check {
        /// The logs; a folder stands for all files below it, `-` is standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The manifest.
        #[arg(long, default_value = "countersign.toml")]
        manifest: PathBuf,
    },
    /// Copy the server's published log into a folder, to be verified offline: `countersign log export --out log`.
    Export {
        /// The folder; made when it is not there.
        #[arg(long)]
        out: PathBuf,
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
}
