//! The clock and the source of entropy, read here and nowhere else in this crate.

use countersign_model::time::Timestamp;

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let ms = since.map_or(0, |it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX));
    Timestamp::from_millis(ms)
}

/// A stopwatch that starts now.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub(crate) fn start() -> std::time::Instant {
    std::time::Instant::now()
}
