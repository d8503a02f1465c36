//! The only place here that reads the clock.

use std::time::{Instant, SystemTime};

use countersign_model::time::Timestamp;

/// Now, on both clocks: the steady one for ages, the one on the wall for windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// A clock that nobody can set.
    pub steady: Instant,
    /// The clock on the wall.
    pub wall: Timestamp,
}

/// Now.
pub fn now() -> Moment {
    #[expect(clippy::disallowed_methods, reason = "this file is the clock")]
    let (steady, wall) = (Instant::now(), SystemTime::now());
    let since = wall.duration_since(SystemTime::UNIX_EPOCH);
    let ms = since.map_or(0, |it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX));
    Moment { steady, wall: Timestamp::from_millis(ms) }
}
