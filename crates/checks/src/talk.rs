//! What a check may touch while it looks. Everything it learns goes into the transcript.

use std::collections::BTreeMap;

use countersign_model::check::{Entry, Fact, Transcript};
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use serde_json::Value;

/// What a check may touch while it looks.
#[derive(Debug)]
pub struct Talk {
    transcript: Transcript,
    now: Timestamp,
    salt: Vec<u8>,
}

impl Talk {
    /// An empty talk of this check about this subject. `salt` hides what could be guessed.
    pub fn new(check: &str, subject: &str, manifest: Digest, now: Timestamp, salt: &[u8]) -> Self {
        Self { transcript: Transcript::new(check, subject, manifest), now, salt: salt.to_vec() }
    }

    /// Sets what the judge needs to know beside what is seen.
    pub fn settings(&mut self, settings: BTreeMap<String, Value>) {
        self.transcript.settings.extend(settings);
    }

    /// Writes down something that was read.
    pub fn fact(&mut self, label: &str, source: &str, value: Value) {
        self.transcript.entries.push(Entry::Fact(Fact {
            label: label.to_owned(),
            at: self.now,
            source: source.to_owned(),
            value,
        }));
    }

    /// Something personal, so that equality can be judged and nothing can be read.
    pub fn hidden(&self, text: &str) -> String {
        Digest::keyed(&self.salt, text.trim().to_lowercase().as_bytes()).to_string()
    }

    /// What was written down so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// The transcript.
    pub fn finish(self) -> Transcript {
        self.transcript
    }
}
