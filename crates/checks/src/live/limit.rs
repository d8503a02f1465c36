//! No more requests to a host in any second than the manifest allows, and few at the same time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use countersign_model::time::Timestamp;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::ask::Received;

/// How many connections to one host are open at the same time.
pub const CONNECTIONS_MAX: usize = 8;
/// The longest that a host may ask to wait.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(5);

/// One lane for each host, each with the same limits.
#[derive(Debug)]
pub(crate) struct Lanes {
    rate: u32,
    lanes: StdMutex<BTreeMap<String, Lane>>,
}

#[derive(Debug, Clone)]
struct Lane {
    pace: Arc<Pace>,
    places: Arc<Semaphore>,
}

/// The right to one connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _place: Option<OwnedSemaphorePermit>,
}

impl Lanes {
    /// At most this many requests to a host in any second; zero counts as one.
    pub(crate) fn per_second(rate: u32) -> Self {
        Self { rate, lanes: StdMutex::default() }
    }

    /// Waits until a host may be asked.
    pub(crate) async fn turn(&self, host: &str) -> Turn {
        let lane = self.lane(host);
        let place = lane.places.acquire_owned().await.ok();
        lane.pace.wait().await;
        Turn { _place: place }
    }

    /// Sends nothing to a host for so long.
    pub(crate) async fn hold(&self, host: &str, period: Duration) {
        self.lane(host).pace.hold(period).await;
    }

    fn lane(&self, host: &str) -> Lane {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Lane {
            pace: Arc::new(Pace::per_second(self.rate)),
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        };
        lanes.entry(host.to_owned()).or_insert_with(new).clone()
    }
}

/// How long a host asks to wait before a request is repeated: none where it does not ask, or for
/// longer than anybody may.
pub(crate) fn retry_after(received: &Received, now: Timestamp) -> Option<Duration> {
    if received.status != 429 {
        return None;
    }
    let (_, value) = received.headers.iter().find(|(name, _)| name == "retry-after")?;
    let value = value.trim();
    let wait = if let Ok(seconds) = value.parse() {
        Duration::from_secs(seconds)
    } else {
        let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_millisecond();
        Timestamp::from_millis(at).since(now).std()
    };
    (wait <= RETRY_AFTER_MAX).then_some(wait)
}

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

    /// No moment is free for so long.
    pub async fn hold(&self, period: Duration) {
        let mut next = self.next.lock().await;
        let free = runtime_now() + period;
        *next = Some(next.map_or(free, |it| it.max(free)));
    }
}

fn runtime_now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_to_one_host_are_spaced_by_the_rate() {
        let lanes = Lanes::per_second(200);
        let begun = Instant::from_std(std_now());
        for _ in 0..5 {
            drop(lanes.turn("acme.example").await);
        }
        assert!(Duration::from_millis(20) <= begun.elapsed(), "four gaps of 5 ms");
    }

    #[tokio::test]
    async fn hosts_do_not_wait_for_each_other_and_each_has_so_many_connections() {
        let lanes = Lanes::per_second(1_000);
        let held = Duration::from_millis(60);
        lanes.hold("acme.example", held).await;
        let begun = Instant::from_std(std_now());
        drop(lanes.turn("events.acme.example").await);
        assert!(begun.elapsed() < held, "another host has a lane of its own");
        drop(lanes.turn("acme.example").await);
        assert!(held <= begun.elapsed() + Duration::from_millis(2), "who asks for time gets it");
        let mut turns = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            turns.push(lanes.turn("acme.example").await);
        }
        let waiting = tokio::time::timeout(held, lanes.turn("acme.example"));
        assert!(waiting.await.is_err(), "one more than there may be");
        drop(turns);
        drop(lanes.turn("acme.example").await);
    }

    #[test]
    fn a_host_may_ask_for_seconds_and_for_no_more() {
        let now: Timestamp = "2026-11-24T03:00:00Z".parse().unwrap();
        let with = |status, value: &str| Received {
            status,
            headers: vec![("retry-after".to_owned(), value.to_owned())],
            body: Vec::new(),
            failure: None,
            took_ms: 0,
        };
        let table = [
            (429, "2", Some(2)),
            (429, "0", Some(0)),
            (429, " 5 ", Some(5)),
            (429, "6", None),
            (429, "99999999999999999999", None),
            (429, "-1", None),
            (429, "Tue, 24 Nov 2026 03:00:03 GMT", Some(3)),
            (429, "Tue, 24 Nov 2026 04:00:00 GMT", None),
            (429, "soon", None),
            (503, "2", None),
        ];
        for (status, value, expected) in table {
            let wait = retry_after(&with(status, value), now);
            assert_eq!(wait, expected.map(Duration::from_secs), "{status} {value}");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test with a stopwatch")]
    fn std_now() -> std::time::Instant {
        std::time::Instant::now()
    }
}
