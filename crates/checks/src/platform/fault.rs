//! Why a platform could not be asked.

/// A platform could not be asked, or did not understand.
#[derive(Debug, thiserror::Error)]
#[error("platform could not {action}")]
pub struct PlatformError {
    /// What was attempted: `read the clients of acme-helpdesk`.
    pub action: String,
    /// Why.
    #[source]
    pub source: PlatformFault,
}

impl PlatformError {
    /// A platform, or its connector, that gives no way to do this.
    pub fn unable(action: impl Into<String>) -> Self {
        Self { action: action.into(), source: PlatformFault::Unable }
    }

    /// Whether the platform does not know what it is asked about.
    pub fn is_unknown(&self) -> bool {
        matches!(self.source, PlatformFault::Refused { status: 404 | 410, .. })
    }

    /// Whether there is no way to do it at all.
    pub fn is_unable(&self) -> bool {
        matches!(self.source, PlatformFault::Lacking(_) | PlatformFault::Unable)
    }
}

/// Why a platform could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum PlatformFault {
    /// It could not be reached, or broke off.
    #[error("it cannot be reached: {0}")]
    Connection(String),
    /// It did not answer in time.
    #[error("it did not answer within {seconds} s")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
    /// It asks for fewer requests (429), and names a time or none.
    #[error("it answered 429: it takes no more requests for {}; ask it less often, or raise its limit for this account", wait(*.seconds))]
    Busy {
        /// After how many seconds it may be asked again (`Retry-After`).
        seconds: Option<u64>,
    },
    /// It refused.
    #[error("it answered {status} (`{code}`)")]
    Refused {
        /// The status.
        status: u16,
        /// Its error code, or nothing.
        code: String,
    },
    /// It gives no way to do this, and what would mend that.
    #[error("it gives no way to do that: {0}")]
    Lacking(String),
    /// It gives no way to do this.
    #[error("it gives no way to do that")]
    Unable,
    /// Its answer makes no sense.
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
    /// The connector's own settings are of no use.
    #[error("its connector is not set up: {0}")]
    Settings(String),
}

fn wait(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| "now".to_owned(), |it| format!("{it} s"))
}
