//! Proof files: one entry is in the log, checkable offline.
//!
//! Source: c2sp.org/tlog-proof.

use std::fmt;
use std::str::FromStr;

use countersign_seal::Digest;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::encoding::{base64_decode, base64_encode, decimal, hash_decode};
use crate::note::{Note, VerifierKey};
use crate::tree::{BadProof, leaf_hash, verify_inclusion};

/// Where an entry stands, the hashes that lead to the root, and the signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Opaque and not authenticated.
    pub extra: Option<Vec<u8>>,
    /// The entry's place, counted from zero.
    pub index: u64,
    /// From the leaf's sibling up to the root's child.
    pub hashes: Vec<Digest>,
    /// The checkpoint as it was signed.
    pub checkpoint: Note,
}

impl LogProof {
    /// Whether the log with this key holds `entry` at the stated place.
    pub fn verify(&self, entry: &[u8], log: &VerifierKey) -> Result<Checkpoint, ProofError> {
        let checkpoint = Checkpoint::open(&self.checkpoint.to_string(), log)?;
        let leaf = leaf_hash(entry);
        verify_inclusion(&self.hashes, self.index, leaf, checkpoint.size, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(formatter, "extra {}", base64_encode(extra))?;
        }
        writeln!(formatter, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(formatter, "{}", base64_encode(hash.as_bytes()))?;
        }
        write!(formatter, "\n{}", self.checkpoint)
    }
}

impl FromStr for LogProof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        if TEXT_BYTES_MAX < text.len() {
            return Err(ProofError::Malformed);
        }
        parse(text).ok_or(ProofError::Malformed)
    }
}

/// Why a proof file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The checkpoint in it is not accepted.
    #[error("proof's checkpoint is not accepted")]
    Checkpoint(#[from] CheckpointError),
    /// The hashes do not lead from this entry to the root.
    #[error("entry is not at the proof's place in the log")]
    Inclusion(#[from] BadProof),
    /// Not a proof file.
    #[error("not a log proof")]
    Malformed,
}

fn parse(text: &str) -> Option<LogProof> {
    let (head, checkpoint) = text.split_once("\n\n")?;
    let mut lines = head.split('\n').peekable();
    if lines.next()? != FIRST_LINE {
        return None;
    }
    let extra = match lines.peek()?.strip_prefix("extra ") {
        None => None,
        Some(extra) => {
            let extra = base64_decode(extra)?;
            lines.next();
            Some(extra)
        }
    };
    let index = decimal(lines.next()?.strip_prefix("index ")?)?;
    let hashes: Vec<&str> = lines.take(HASHES_MAX + 1).collect();
    if HASHES_MAX < hashes.len() {
        return None;
    }
    let hashes = hashes.into_iter().map(hash_decode).collect::<Option<_>>()?;
    Some(LogProof { extra, index, hashes, checkpoint: Note::parse(checkpoint).ok()? })
}

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^64 entries is 64 high.
const HASHES_MAX: usize = 64;
const TEXT_BYTES_MAX: usize = 256 * 1024;
