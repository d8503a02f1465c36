//! No more requests in any second than the manifest allows.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Spaces requests evenly: never two closer together than the rate allows.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most this many in any second; zero counts as one.
    pub fn per_second(rate: u32) -> Self {
        Self { every: Duration::from_secs(1) / rate.max(1), next: Mutex::new(None) }
    }

    /// Waits for the next free moment. `now` is the runtime's clock.
    pub async fn wait(&self) {
        let slot = {
            let mut next = self.next.lock().await;
            let now = runtime_now();
            let slot = next.map_or(now, |it| it.max(now));
            *next = Some(slot + self.every);
            slot
        };
        sleep_until(slot).await;
    }
}

fn runtime_now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_are_spaced_by_the_rate() {
        let pace = Pace::per_second(200);
        let start = Duration::ZERO;
        let begun = Instant::from_std(std_now());
        for _ in 0..5 {
            pace.wait().await;
        }
        assert!(start + Duration::from_millis(20) <= begun.elapsed(), "four gaps of 5 ms");
    }

    #[expect(clippy::disallowed_methods, reason = "a test with a stopwatch")]
    fn std_now() -> std::time::Instant {
        std::time::Instant::now()
    }
}
