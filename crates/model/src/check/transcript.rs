//! Both sides of what a check said and saw. A verdict depends on this alone.

use std::collections::BTreeMap;

use countersign_seal::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The schema name of a transcript.
pub const TRANSCRIPT_SCHEMA: &str = "countersign.transcript/1";

/// Everything that one check said and saw about one subject.
///
/// Secrets, tokens and personal data are taken out at capture; digests with the run's salt stay,
/// so that equality can still be judged. It holds no floats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// `countersign.transcript/1`.
    pub schema: String,
    /// The check's name: `refuses_stale_timestamp`.
    pub check: String,
    /// What was looked at: a path id of the manifest, or `manifest`.
    pub subject: String,
    /// Digest of the manifest that was in force.
    pub manifest: Digest,
    /// What the judge needs to know beside what was seen: thresholds, declared values.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum Entry {
    /// A request and its answer.
    Exchange(Exchange),
    /// Something that was read: from the platform, a log, a repository or the manifest.
    Fact(Fact),
    /// Time that was waited, and why.
    Wait(Wait),
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What the judge calls it: `control`, `forged`, `effects-after`.
    pub label: String,
    /// When it was sent.
    pub at: Timestamp,
    /// How long the answer took.
    pub elapsed_ms: u64,
    /// What was sent.
    pub request: Request,
    /// What came back.
    pub answer: Answer,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// The whole address, without secrets.
    pub url: String,
    /// Header names in lowercase and values, without secrets, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// A response.
    Response {
        /// The status code.
        status: u16,
        /// Header names in lowercase and values, without secrets, in order.
        headers: Vec<(String, String)>,
        /// The body.
        body: Body,
    },
    /// No response.
    Failure {
        /// Why.
        kind: FailureKind,
        /// In words, without secrets.
        detail: String,
    },
}

impl Answer {
    /// The status code, if there was a response.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Response { status, .. } => Some(*status),
            Self::Failure { .. } => None,
        }
    }

    /// Whether there was a response with a 2xx status.
    pub fn is_success(&self) -> bool {
        self.status().is_some_and(|it| (200..300).contains(&it))
    }

    /// Whether there was a response with a 4xx status other than 404, 408 and 429, which say nothing about the request's right.
    pub fn is_refusal(&self) -> bool {
        self.status().is_some_and(|it| (400..500).contains(&it) && ![404, 408, 429].contains(&it))
    }

    /// The body's text as captured, empty when there was no response.
    pub fn text(&self) -> &str {
        match self {
            Self::Response { body, .. } => &body.text,
            Self::Failure { .. } => "",
        }
    }

    /// The captured body as JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(self.text()).ok()
    }

    /// In a few words: `HTTP 204`, `timed out`.
    pub fn words(&self) -> String {
        match self {
            Self::Response { status, .. } => format!("HTTP {status}"),
            Self::Failure { kind, .. } => kind.words().to_owned(),
        }
    }
}

/// Why there was no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The address is private, or not named by the manifest.
    AddressRefused,
    /// The answer broke off.
    Closed,
    /// No connection.
    Connect,
    /// The answer is not HTTP.
    Protocol,
    /// The name has no address.
    Resolve,
    /// No answer in time.
    Timeout,
    /// No trusted TLS session.
    Tls,
    /// The answer is larger than allowed.
    TooLarge,
}

impl FailureKind {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::AddressRefused => "address refused by our own guard",
            Self::Closed => "connection closed half-way",
            Self::Connect => "no connection",
            Self::Protocol => "answer is not HTTP",
            Self::Resolve => "name does not resolve",
            Self::Timeout => "timed out",
            Self::Tls => "no trusted TLS session",
            Self::TooLarge => "answer too large",
        }
    }
}

/// A body as it was captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Body {
    /// The text, redacted and cut; empty for binary.
    pub text: String,
    /// How many bytes there were.
    pub bytes: u64,
    /// Digest of the whole body with the run's salt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Whether the text was cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// Something that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What the judge calls it: `granted-scopes`.
    pub label: String,
    /// When it was read.
    pub at: Timestamp,
    /// Where: `platform`, `manifest`, `log`, `source`.
    pub source: String,
    /// What it said, or `{"error": …}` when it could not be read.
    pub value: serde_json::Value,
}

/// Time that was waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wait {
    /// What the judge calls it.
    pub label: String,
    /// From when.
    pub at: Timestamp,
    /// How long.
    pub waited_ms: u64,
}

impl Transcript {
    /// An empty transcript.
    pub fn new(check: impl Into<String>, subject: impl Into<String>, manifest: Digest) -> Self {
        Self {
            schema: TRANSCRIPT_SCHEMA.to_owned(),
            check: check.into(),
            subject: subject.into(),
            manifest,
            settings: BTreeMap::new(),
            entries: Vec::new(),
        }
    }

    /// All exchanges with this label.
    pub fn exchanges<'a>(&'a self, label: &'a str) -> impl Iterator<Item = &'a Exchange> + 'a {
        self.entries.iter().filter_map(move |it| match it {
            Entry::Exchange(exchange) if exchange.label == label => Some(exchange),
            _ => None,
        })
    }

    /// The last exchange with this label.
    pub fn exchange<'a>(&'a self, label: &'a str) -> Option<&'a Exchange> {
        self.exchanges(label).last()
    }

    /// All facts with this label.
    pub fn facts<'a>(&'a self, label: &'a str) -> impl Iterator<Item = &'a Fact> + 'a {
        self.entries.iter().filter_map(move |it| match it {
            Entry::Fact(fact) if fact.label == label => Some(fact),
            _ => None,
        })
    }

    /// The value of the last fact with this label.
    pub fn fact(&self, label: &str) -> Option<&serde_json::Value> {
        self.entries.iter().rev().find_map(|it| match it {
            Entry::Fact(fact) if fact.label == label => Some(&fact.value),
            _ => None,
        })
    }

    /// All waits with this label, added up.
    pub fn waited_ms(&self, label: &str) -> u64 {
        let waits = self.entries.iter().filter_map(|it| match it {
            Entry::Wait(wait) if wait.label == label => Some(wait.waited_ms),
            _ => None,
        });
        waits.fold(0, u64::saturating_add)
    }

    /// A setting as whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.settings.get(name).and_then(serde_json::Value::as_u64)
    }

    /// A setting as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.settings.get(name).and_then(serde_json::Value::as_str)
    }
}
