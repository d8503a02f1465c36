//! The only place here that reads the clock.

use std::time::{Instant, SystemTime};

use countersign_model::time::Timestamp;

/// Now, on the wall.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this file is the clock")]
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_millis(since.map_or(0, |it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX)))
}

/// Now, on the steady clock.
pub(crate) fn steady() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this file is the clock")]
    Instant::now()
}
