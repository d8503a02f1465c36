//! How many requests fall into any one hour, in whatever order a log tells them.

use std::collections::BTreeMap;

use countersign_model::time::Timestamp;

use super::report::Place;

/// Requests by second.
#[derive(Debug, Default)]
pub(super) struct Rate {
    seconds: BTreeMap<i64, Second>,
    /// Whether there were more seconds than can be kept.
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

/// How many seconds with a request are kept.
const SECONDS_MAX: usize = 500_000;
const HOUR: i64 = 3_600;

impl Rate {
    pub(super) fn count(&mut self, time: Timestamp, is_clean: bool, place: Place) {
        let second = time.seconds();
        if SECONDS_MAX <= self.seconds.len() && !self.seconds.contains_key(&second) {
            self.cut = true;
            return;
        }
        let entry = self.seconds.entry(second).or_default();
        entry.all += 1;
        entry.clean += u64::from(is_clean);
        entry.last = place;
    }

    /// What is over the limit of any hour. Who is over it does not count against later ones.
    pub(super) fn over(&self, limit: u64) -> Vec<Over> {
        let mut window: std::collections::VecDeque<(i64, u64)> = std::collections::VecDeque::new();
        let (mut inside, mut found) = (0_u64, Vec::new());
        for (second, entry) in &self.seconds {
            while let Some((_, count)) =
                window.front().copied().filter(|it| it.0.saturating_add(HOUR) <= *second)
            {
                inside -= count;
                window.pop_front();
            }
            let over = (inside + entry.all).saturating_sub(limit).min(entry.all);
            let kept = entry.all - over;
            inside += kept;
            window.push_back((*second, kept));
            if 0 < over {
                found.push(Over { count: over.min(entry.clean), place: entry.last });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(limit: u64, seconds: &[i64]) -> u64 {
        let mut rate = Rate::default();
        for second in seconds {
            rate.count(Timestamp::from_seconds(*second), true, Place::default());
        }
        rate.over(limit).iter().map(|it| it.count).sum()
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
}
