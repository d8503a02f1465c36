//! Checkpoints: what a log signs, so that it cannot say two things.
//!
//! Source: c2sp.org/tlog-checkpoint.

use std::fmt;
use std::str::FromStr;

use countersign_seal::{Digest, SigningKey};

use crate::encoding::{base64_encode, decimal, hash_decode};
use crate::note::{KeyKind, Note, NoteError, VerifierKey};

/// How many entries a log has, and their root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// Lines that other software put there; signed, and without meaning to us.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Signs this checkpoint with the key of the log.
    pub fn sign(&self, key: &SigningKey) -> Result<Note, NoteError> {
        Note::sign(&self.to_string(), &self.origin, key)
    }

    /// Reads a note that the log with this key signed. Other signatures may stand beside.
    pub fn open(note: &str, log: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        if log.kind() != KeyKind::Ed25519 {
            return Err(NoteError::InvalidKey.into());
        }
        note.verify(std::slice::from_ref(log))?;
        let checkpoint: Self = note.text().parse()?;
        if checkpoint.origin != log.name() {
            return Err(CheckpointError::OtherOrigin { origin: checkpoint.origin });
        }
        Ok(checkpoint)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = base64_encode(self.root.as_bytes());
        writeln!(formatter, "{}\n{}\n{root}", self.origin, self.size)?;
        self.extensions.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let parse = || {
            let mut lines = text.strip_suffix('\n')?.split('\n');
            let origin = lines.next().filter(|origin| !origin.is_empty())?.to_owned();
            let size = decimal(lines.next()?)?;
            let root = hash_decode(lines.next()?)?;
            let extensions: Vec<String> = lines.map(str::to_owned).collect();
            let filled = extensions.iter().all(|line| !line.is_empty());
            filled.then_some(Self { origin, size, root, extensions })
        };
        parse().ok_or(CheckpointError::Malformed)
    }
}

/// Why a checkpoint is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The text is not a checkpoint.
    #[error("not a checkpoint")]
    Malformed,
    /// The note around it is not signed as it must be.
    #[error("checkpoint's note is not accepted")]
    Note(#[from] NoteError),
    /// A checkpoint of another log, signed with this log's key.
    #[error("checkpoint is of the log `{origin}`")]
    OtherOrigin {
        /// That log.
        origin: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "log.example/one".to_owned(),
            size: 7,
            root: Digest::of(b""),
            extensions: Vec::new(),
        }
    }

    #[test]
    fn a_checkpoint_is_three_lines() {
        insta::assert_snapshot!(checkpoint(), @r"
        log.example/one
        7
        47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
        ");
        assert_eq!(checkpoint().to_string().parse(), Ok(checkpoint()));
        let extended = Checkpoint { extensions: vec!["more".to_owned()], ..checkpoint() };
        assert_eq!(extended.to_string().parse(), Ok(extended));
    }

    #[test]
    fn other_texts_are_refused() {
        let good = checkpoint().to_string();
        for text in [
            "",
            "\n\n\n",
            "a\n0\n",
            good.trim_end(),
            &format!("\n{good}"),
            &format!("{good}\n"),
            &good.replace("\n7\n", "\n07\n"),
            &good.replace("\n7\n", "\n+7\n"),
            &good.replace("\n7\n", "\n-7\n"),
            &good.replace("FU=", "FU"),
            &good.replace("47DE", ""),
            &good.replace("\n7\n", "\n18446744073709551616\n"),
        ] {
            assert_eq!(text.parse::<Checkpoint>(), Err(CheckpointError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn only_the_log_itself_may_sign() {
        let key = SigningKey::from_seed([1; 32]);
        let log = VerifierKey::log("log.example/one", key.public()).unwrap();
        let note = checkpoint().sign(&key).unwrap().to_string();
        assert_eq!(Checkpoint::open(&note, &log), Ok(checkpoint()));
        let other = VerifierKey::log("log.example/two", key.public()).unwrap();
        assert!(Checkpoint::open(&note, &other).is_err());
        let text = checkpoint().to_string();
        let foreign = Note::sign(&text, "log.example/two", &key).unwrap().to_string();
        let error = CheckpointError::OtherOrigin { origin: "log.example/one".to_owned() };
        assert_eq!(Checkpoint::open(&foreign, &other), Err(error));
    }
}
