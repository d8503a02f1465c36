//! How many requests fall into any one hour, in whatever order a log tells them.

use std::collections::{BTreeMap, VecDeque};

use countersign_model::time::Timestamp;

use super::report::Place;

/// Requests by second.
#[derive(Debug, Default)]
pub(super) struct Rate {
    limit: u64,
    seconds: BTreeMap<i64, Second>,
    /// The second that was counted last; it is not among the others.
    current: Option<(i64, Second)>,
    /// The last hour of what is settled: each second with what counts.
    hour: VecDeque<(i64, u64)>,
    inside: u64,
    settled_until: Option<i64>,
    over: Vec<Over>,
    over_count: usize,
    /// Whether a request came too late to be counted.
    pub(super) cut: bool,
}

/// The requests of one second.
#[derive(Debug, Clone, Copy, Default)]
struct Second {
    all: u64,
    /// Those that nothing else is wrong with.
    clean: u64,
    last: Place,
}

/// Requests over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Over {
    /// How many of one second are over it, and otherwise clean.
    pub(super) count: u64,
    /// The last line of that second.
    pub(super) place: Place,
}

/// How many seconds with a request are kept; the older half is settled when there are more.
const SECONDS_MAX: usize = 200_000;
const HOUR: i64 = 3_600;

impl Rate {
    /// A rate with this limit for any hour.
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, ..Self::default() }
    }

    pub(super) fn count(&mut self, time: Timestamp, is_clean: bool, place: Place) {
        let second = time.seconds();
        if self.settled_until.is_some_and(|it| second <= it) {
            self.cut = true;
            return;
        }
        // Neighbours in a log are neighbours in time.
        let mut entry = match self.current.take() {
            Some((same, entry)) if same == second => entry,
            other => {
                if let Some((before, entry)) = other {
                    self.seconds.insert(before, entry);
                }
                self.seconds.remove(&second).unwrap_or_default()
            }
        };
        entry.all += 1;
        entry.clean += u64::from(is_clean);
        entry.last = entry.last.max(place);
        self.current = Some((second, entry));
        if SECONDS_MAX < self.seconds.len() {
            self.settle(SECONDS_MAX / 2);
        }
    }

    /// What is over the limit of any hour: requests that came when the hour before them was full.
    pub(super) fn finish(&mut self) -> &[Over] {
        if let Some((second, entry)) = self.current.take() {
            self.seconds.insert(second, entry);
        }
        self.settle(self.seconds.len());
        &self.over
    }

    fn settle(&mut self, count: usize) {
        for _ in 0..count {
            let Some((second, entry)) = self.seconds.pop_first() else { return };
            let ends = |it: &(i64, u64)| it.0.saturating_add(HOUR) <= second;
            while let Some((_, count)) = self.hour.pop_front_if(|it| ends(it)) {
                self.inside -= count;
            }
            let over = (self.inside + entry.all).saturating_sub(self.limit).min(entry.all);
            self.inside += entry.all;
            self.hour.push_back((second, entry.all));
            if 0 < over {
                self.add(Over { count: over.min(entry.clean), place: entry.last });
            }
            self.settled_until = Some(second);
        }
    }

    /// The first ones by their place, the rest by their number alone.
    fn add(&mut self, over: Over) {
        match self.over.last_mut() {
            Some(last) if OVER_MAX <= self.over_count => last.count += over.count,
            _ => self.over.push(over),
        }
        self.over_count += 1;
    }
}

/// How many seconds over the limit are told by their place.
const OVER_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn over(limit: u64, seconds: &[i64]) -> u64 {
        let mut rate = Rate::new(limit);
        for second in seconds {
            rate.count(Timestamp::from_seconds(*second), true, Place::default());
        }
        rate.finish().iter().map(|it| it.count).sum()
    }

    #[test]
    fn an_hour_is_any_hour_and_order_does_not_matter() {
        let table: [(&str, u64, &[i64], u64); 6] = [
            ("inside", 3, &[0, 1, 2], 0),
            ("one over", 3, &[0, 1, 2, 3], 1),
            ("an hour later", 3, &[0, 1, 2, 3_600], 0),
            ("just before the hour ends", 3, &[0, 1, 2, 3_599], 1),
            ("backwards", 3, &[3_599, 2, 1, 0], 1),
            ("over and over", 1, &[0, 0, 0, 3_600], 2),
        ];
        for (row, limit, seconds, expected) in table {
            assert_eq!(over(limit, seconds), expected, "{row}");
        }
    }

    #[test]
    fn a_long_log_is_settled_on_the_way() {
        let last = i64::try_from(SECONDS_MAX).unwrap() * 2;
        let mut rate = Rate::new(3_600);
        for second in 0..last {
            rate.count(Timestamp::from_seconds(second), true, Place::default());
        }
        rate.count(Timestamp::from_seconds(last - 1), true, Place::default());
        assert!(rate.seconds.len() <= SECONDS_MAX && !rate.cut);
        assert_eq!(rate.finish().iter().map(|it| it.count).sum::<u64>(), 1);
        rate.count(Timestamp::from_seconds(0), true, Place::default());
        assert!(rate.cut, "nobody knows any more what hour it belongs to");
    }
}
