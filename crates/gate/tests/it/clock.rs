//! A clock that a test sets: both of its hands stand until they are moved.

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use countersign_gate::Moment;

use crate::world::at;

#[expect(clippy::disallowed_methods, reason = "a test has to start somewhere on the steady clock")]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

thread_local! {
    /// Seconds since the start, for the test that runs on this thread.
    static SECONDS: Cell<u64> = const { Cell::new(0) };
}

/// Lets time pass.
pub(crate) fn pass(seconds: u64) {
    SECONDS.set(SECONDS.get() + seconds);
}

/// Now.
pub(crate) fn now() -> Moment {
    let seconds = SECONDS.get();
    let wall = at(i64::try_from(seconds).unwrap());
    Moment { steady: *START + Duration::from_secs(seconds), wall }
}
