//! The only place here that reads the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime};

use countersign_model::time::Timestamp;

/// Where the time comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// A clock that stands until somebody moves it: milliseconds since 1970.
    Standing(Arc<AtomicI64>),
    /// The system's.
    System,
}

impl Clock {
    /// Now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Standing(ms) => Timestamp::from_millis(ms.load(Ordering::SeqCst)),
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "this file is the clock")]
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                let ms = since.map_or(0, |it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX));
                Timestamp::from_millis(ms)
            }
        }
    }
}

/// A stopwatch that no change of the system's time disturbs.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this file is the clock")]
        Self(Instant::now())
    }

    /// Milliseconds since the start.
    pub fn ms(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The clock and a stopwatch, as checks read the time.
#[derive(Debug)]
pub(crate) struct LiveClock {
    clock: Clock,
    since: Stopwatch,
}

impl LiveClock {
    /// Starts counting.
    pub(crate) fn start(clock: Clock) -> Self {
        Self { clock, since: Stopwatch::start() }
    }
}

impl countersign_checks::live::clock::Clock for LiveClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn monotonic_ms(&self) -> u64 {
        self.since.ms()
    }
}
