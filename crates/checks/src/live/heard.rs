//! How a server answered when it was greeted in TLS, as a transcript keeps it.

use countersign_model::check::transcript::FailureKind;
use serde::{Deserialize, Serialize};

use super::wire::ServerHello;

/// How a server answered when it was greeted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum Heard {
    /// It refused with an alert.
    Alert {
        /// Its number (RFC 8446, section 6).
        description: u8,
    },
    /// Both sides could not agree, and it was we who ended it.
    Broken {
        /// Why.
        detail: String,
    },
    /// It closed the connection without a word.
    Closed,
    /// There was no connection, or no answer.
    Failed {
        /// Why.
        kind: FailureKind,
        /// In words.
        detail: String,
    },
    /// The whole handshake was done.
    Finished(Session),
    /// It answered the hello; nothing more was looked at.
    Hello(ServerHello),
    /// It answered something else than TLS.
    Unreadable,
}

/// What both sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// `TLSv1_3`.
    pub version: String,
    /// `TLS13_AES_128_GCM_SHA256`.
    pub suite: String,
    /// `X25519`.
    pub group: String,
}

impl Heard {
    /// No answer, for this reason.
    pub fn failed(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self::Failed { kind, detail: detail.into() }
    }

    /// Whether it took what was offered.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Finished(_) | Self::Hello(_))
    }

    /// Whether it refused what was offered.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Alert { .. } | Self::Closed)
    }

    /// In a few words.
    pub fn words(&self) -> String {
        match self {
            Self::Alert { description } => format!("alert {}", alert_name(*description)),
            Self::Broken { detail } => format!("no agreement ({detail})"),
            Self::Closed => "connection closed".to_owned(),
            Self::Failed { kind, detail } if detail.is_empty() => kind.words().to_owned(),
            Self::Failed { kind, detail } => format!("{} ({detail})", kind.words()),
            Self::Finished(it) => format!("{} with {} and {}", it.version, it.suite, it.group),
            Self::Hello(it) => {
                format!("{} with cipher suite 0x{:04x}", version_name(it.version), it.suite)
            }
            Self::Unreadable => "an answer that is not TLS".to_owned(),
        }
    }
}

/// The name of a version.
pub fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301..=0x0304 => format!("TLS 1.{}", version - 0x0301),
        other => format!("version 0x{other:04x}"),
    }
}

/// The name of an alert (RFC 8446, section 6).
fn alert_name(description: u8) -> String {
    let name = match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        47 => "illegal_parameter",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        109 => "missing_extension",
        112 => "unrecognized_name",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => return description.to_string(),
    };
    name.to_owned()
}
