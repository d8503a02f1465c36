//! What the platform writes down, in bounded memory.

use countersign_checks::platform::{AdminRecord, Delivery, RaisedAlert, ReceivedCall};
use countersign_model::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::ring::Ring;

/// One token request.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TokenLine {
    pub(crate) time: Timestamp,
    pub(crate) client_id: String,
    pub(crate) token_id: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) order_id: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) grant: String,
    pub(crate) scope: String,
    pub(crate) ip: String,
    pub(crate) issued_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) seq: Option<u64>,
    /// `granted`, or an error code of RFC 6749.
    pub(crate) result: String,
    /// The gate's reason, where it refused, or would have.
    pub(crate) gate: Option<String>,
    pub(crate) kid: Option<String>,
}

/// One use of a token.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AccessLine {
    pub(crate) time: Timestamp,
    pub(crate) client_id: String,
    pub(crate) token_id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) scope: String,
    pub(crate) ip: String,
    pub(crate) status: u16,
}

/// One line that a partner pushed.
#[derive(Debug, Clone)]
pub(crate) struct PushedLine {
    pub(crate) integration: String,
    pub(crate) line: Value,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) tokens: Ring<TokenLine>,
    pub(crate) access: Ring<AccessLine>,
    pub(crate) audit: Ring<AdminRecord>,
    pub(crate) pushed: Ring<PushedLine>,
    pub(crate) deliveries: Ring<Delivery>,
    pub(crate) received: Ring<ReceivedCall>,
    pub(crate) alerts: Ring<(String, RaisedAlert)>,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            tokens: Ring::new(LINES_MAX),
            access: Ring::new(LINES_MAX),
            audit: Ring::new(LINES_MAX),
            pushed: Ring::new(LINES_MAX),
            deliveries: Ring::new(LINES_MAX),
            received: Ring::new(LINES_MAX),
            alerts: Ring::new(ALERTS_MAX),
        }
    }
}

const LINES_MAX: usize = 100_000;
const ALERTS_MAX: usize = 10_000;
