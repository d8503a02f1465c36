//! Signs of life: signed, for one nonce, about one snapshot.

use countersign_model::enforce::snapshot::{HEARTBEAT_TYPE, Heartbeat};
use countersign_model::time::{Period, Timestamp};
use countersign_seal::jwt::{self, Expect, JwtError, VerifyingKey};

use crate::snapshot::Pins;

/// How far the server's clock and ours may differ. Beyond it no window can be judged.
const SKEW_MAX: Period = Period::from_seconds(60);

/// A sign of life is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeartbeatError {
    /// Its signature or type does not count here.
    #[error("the heartbeat is not signed by the pinned key")]
    Signature(#[source] JwtError),
    /// It cannot be read.
    #[error("the heartbeat cannot be read: {0}")]
    Malformed(String),
    /// It answers another question.
    #[error("the heartbeat is for another nonce or lane")]
    AnotherQuestion,
    /// The clocks of server and gate are apart.
    #[error("the clocks of server and gate are more than 60 s apart")]
    Skewed,
    /// The server speaks of an older snapshot than the one in force.
    #[error("the heartbeat has epoch {offered}, in force is {in_force}")]
    WentBack {
        /// Its epoch.
        offered: u64,
        /// The epoch in force.
        in_force: u64,
    },
}

/// Checks a heartbeat against what is pinned and the nonce that was sent at `asked`.
pub(crate) fn check(
    token: &str,
    nonce: &str,
    pins: &Pins,
    asked: Timestamp,
) -> Result<Heartbeat, HeartbeatError> {
    let key = VerifyingKey::ed25519(pins.snapshot_key);
    let expect = Expect { typ: Some(HEARTBEAT_TYPE), issuer: None, audience: None };
    let verified = jwt::verify(token, &[key], expect).map_err(HeartbeatError::Signature)?;
    let beat: Heartbeat = serde_json::from_value(verified.claims)
        .map_err(|it| HeartbeatError::Malformed(it.to_string()))?;
    if beat.nonce != nonce || beat.lane != pins.lane {
        return Err(HeartbeatError::AnotherQuestion);
    }
    let said = Timestamp::from_seconds(beat.iat);
    if SKEW_MAX < said.since(asked).max(asked.since(said)) {
        return Err(HeartbeatError::Skewed);
    }
    Ok(beat)
}
