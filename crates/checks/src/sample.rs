//! Transcripts built by hand, for the tables that judges are tested with.

use countersign_model::check::transcript::{Body, FailureKind, Request};
use countersign_model::check::{
    Answer, Entry, Exchange, Fact, Judgement, Transcript, Verdict, Wait,
};
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use serde_json::Value;

use crate::check::{Check, conclude};

/// A transcript that grows.
#[derive(Clone)]
pub(crate) struct Sample(Transcript);

/// An empty transcript.
pub(crate) fn sample() -> Sample {
    Sample(Transcript::new("sample", "sub:sample", Digest::of(b"sample")))
}

impl Sample {
    pub(crate) fn setting(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.settings.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn fact(mut self, label: &str, value: Value) -> Self {
        let at = Timestamp::from_seconds(1_795_489_511);
        let source = "platform".to_owned();
        self.0.entries.push(Entry::Fact(Fact { label: label.to_owned(), at, source, value }));
        self
    }

    pub(crate) fn waited(mut self, label: &str, waited_ms: u64) -> Self {
        let at = Timestamp::from_seconds(1_795_489_511);
        self.0.entries.push(Entry::Wait(Wait { label: label.to_owned(), at, waited_ms }));
        self
    }

    pub(crate) fn answered(self, label: &str, status: u16, text: &str) -> Self {
        let body =
            Body { text: text.to_owned(), bytes: text.len() as u64, digest: None, cut: false };
        self.exchange(label, Answer::Response { status, headers: Vec::new(), body })
    }

    /// The same with headers.
    pub(crate) fn answered_with(
        self,
        label: &str,
        status: u16,
        headers: &[(&str, &str)],
        text: &str,
    ) -> Self {
        let own = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
        let headers = headers.iter().map(own).collect();
        let body =
            Body { text: text.to_owned(), bytes: text.len() as u64, digest: None, cut: false };
        self.exchange(label, Answer::Response { status, headers, body })
    }

    /// An answer that took this long.
    pub(crate) fn answered_in(self, label: &str, status: u16, elapsed_ms: u64) -> Self {
        let mut sample = self.answered(label, status, "");
        if let Some(Entry::Exchange(it)) = sample.0.entries.last_mut() {
            it.elapsed_ms = elapsed_ms;
        }
        sample
    }

    /// A redirect.
    pub(crate) fn redirected(self, label: &str, status: u16, to: &str) -> Self {
        self.answered_with(label, status, &[("location", to)], "")
    }

    /// A redirect that was the answer to this address.
    pub(crate) fn redirected_from(self, label: &str, asked: &str, to: &str) -> Self {
        let mut sample = self.redirected(label, 302, to);
        if let Some(Entry::Exchange(it)) = sample.0.entries.last_mut() {
            asked.clone_into(&mut it.request.url);
        }
        sample
    }

    pub(crate) fn silent(self, label: &str, kind: FailureKind) -> Self {
        self.exchange(label, Answer::Failure { kind, detail: String::new() })
    }

    fn exchange(mut self, label: &str, answer: Answer) -> Self {
        self.0.entries.push(Entry::Exchange(Exchange {
            label: label.to_owned(),
            at: Timestamp::from_seconds(1_795_489_511),
            elapsed_ms: 3,
            request: Request {
                method: "POST".to_owned(),
                url: "https://events.acme.example/id".to_owned(),
                headers: Vec::new(),
                body: Body::default(),
            },
            answer,
        }));
        self
    }

    pub(crate) fn transcript(&self) -> &Transcript {
        &self.0
    }
}

/// Holds a judge against a table; each row says what it is about.
pub(crate) fn judges(check: &dyn Check, table: &[(&str, Sample, Verdict)]) {
    for (row, sample, verdict) in table {
        let judgement = judged(check, sample);
        assert_eq!(judgement.verdict, *verdict, "{row}: {judgement:?}");
        assert!(!judgement.sentence.is_empty(), "{row}");
    }
}

/// The judgement of one row, twice: from memory and as it is stored.
pub(crate) fn judged(check: &dyn Check, sample: &Sample) -> Judgement {
    let stored = serde_json::to_string(sample.transcript()).unwrap();
    let again = serde_json::from_str(&stored).unwrap();
    let judgement = conclude(check, sample.transcript());
    assert_eq!(judgement, conclude(check, &again), "judging again gives the same");
    judgement
}
