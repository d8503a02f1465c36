//! How long ago the gate heard from its server, and what that allows.

use std::time::{Duration, Instant};

use countersign_model::declare::manifest::FailMode;
use countersign_model::time::{Period, Timestamp};

/// The longest lease that a gate believes, whatever a snapshot says.
pub const LEASE_MAX: Period = Period::from_seconds(60);

/// How far the clock on the wall may go back before nothing is believed any more.
///
/// Calls are decided side by side, so their moments arrive a little out of order.
const BACK_MAX: Period = Period::from_seconds(1);

/// What the age of a snapshot allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The lease holds.
    Fresh,
    /// The lease is over; a stale "yes" may stand, as the owner chose in writing.
    Standing,
    /// Nobody is admitted.
    Over,
}

impl Freshness {
    /// What `age` after the last sign of life allows; an unknown age allows nothing.
    ///
    /// Inside the lease everything. After it, only an integration whose owner chose best-effort in
    /// writing may go on, and only for its own limit.
    pub fn at(
        age: Option<Duration>,
        lease: Period,
        mode: FailMode,
        max_stale: Option<Period>,
    ) -> Self {
        let Some(age) = age else { return Self::Over };
        if age < lease.std() {
            return Self::Fresh;
        }
        match (mode, max_stale) {
            (FailMode::BestEffort, Some(limit)) if age < limit.std() => Self::Standing,
            _ => Self::Over,
        }
    }
}

/// The last sign of life, and the latest moment that was seen since.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Life {
    heard: Option<(Instant, Option<Timestamp>)>,
    seen: Option<Timestamp>,
}

impl Life {
    /// The server was heard: `steady` and `wall` are when it was asked, so that a slow answer makes
    /// the lease shorter.
    pub(crate) fn heard(&mut self, steady: Instant, wall: Option<Timestamp>) {
        if self.heard.is_none_or(|(last, _)| last <= steady) {
            self.heard = Some((steady, wall));
            // What the wall showed before is forgiven: the server has agreed on the time since.
            if wall.is_some() {
                self.seen = wall;
            }
        }
    }

    /// How long ago the server was heard; none if never, or if the clock on the wall went back.
    ///
    /// A machine that slept has a steady clock that stood still, so the longer of both counts.
    pub(crate) fn age(&mut self, steady: Instant, wall: Timestamp) -> Option<Duration> {
        let seen = self.seen.map_or(wall, |it| it.max(wall));
        self.seen = Some(seen);
        if wall + BACK_MAX < seen {
            return None;
        }
        let (last, anchor) = self.heard?;
        let on_the_wall = anchor.map_or(Duration::ZERO, |it| wall.since(it).std());
        Some(steady.saturating_duration_since(last).max(on_the_wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_snapshot_admits_only_what_was_chosen_in_writing() {
        use Freshness::{Fresh, Over, Standing};
        let lease = Period::from_seconds(5);
        let limit = Some(Period::from_seconds(300));
        let table = [
            (Some(4), FailMode::Strict, limit, Fresh),
            (Some(5), FailMode::Strict, limit, Over),
            (Some(5), FailMode::Strict, None, Over),
            (Some(4), FailMode::BestEffort, limit, Fresh),
            (Some(5), FailMode::BestEffort, limit, Standing),
            (Some(299), FailMode::BestEffort, limit, Standing),
            (Some(300), FailMode::BestEffort, limit, Over),
            (Some(5), FailMode::BestEffort, None, Over),
            (None, FailMode::BestEffort, limit, Over),
        ];
        for (seconds, mode, limit, expected) in table {
            let got = Freshness::at(seconds.map(Duration::from_secs), lease, mode, limit);
            assert_eq!(got, expected, "{seconds:?} s {mode:?} {limit:?}");
        }
    }

    #[test]
    fn the_longer_of_both_clocks_counts_and_a_jump_back_ends_it() {
        let start = crate::clock::now().steady;
        let wall = |seconds: i64| Timestamp::from_seconds(1_000 + seconds);
        let anchored = |steady, at| {
            let mut life = Life::default();
            life.heard(start, Some(wall(0)));
            let age = life.age(start + Duration::from_secs(steady), wall(at));
            age.map(|it| it.as_secs())
        };
        assert_eq!(anchored(3, 3), Some(3));
        assert_eq!(anchored(3, 9), Some(9), "the machine slept");
        assert_eq!(anchored(3, -1), Some(3), "a second is tolerated");
        assert_eq!(anchored(3, -2), None, "the clock went back");
    }

    #[test]
    fn a_jump_back_is_seen_between_signs_of_life_and_forgiven_by_the_next() {
        let start = crate::clock::now().steady;
        let wall = |seconds: i64| Timestamp::from_seconds(1_000 + seconds);
        let mut life = Life::default();
        life.heard(start, Some(wall(0)));
        assert!(life.age(start, wall(4)).is_some());
        assert!(life.age(start, wall(2)).is_none());
        assert!(life.age(start, wall(2)).is_none(), "asking again does not help");
        life.heard(start, Some(wall(2)));
        assert!(life.age(start, wall(2)).is_some());
    }

    #[test]
    fn an_older_sign_of_life_changes_nothing() {
        let start = crate::clock::now().steady;
        let later = start + Duration::from_secs(10);
        let wall = Timestamp::from_seconds(0);
        let mut life = Life::default();
        life.heard(later, None);
        life.heard(start, None);
        assert_eq!(life.age(later, wall), Some(Duration::ZERO));
    }
}
