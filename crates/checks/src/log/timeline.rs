//! Good and failing lines over time, in as many stretches as a picture has columns.

use std::collections::BTreeMap;

use countersign_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Good and failing lines over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// How long a stretch is, in seconds.
    pub width: i64,
    /// The stretches that hold a line, by the second of their begin.
    pub stretches: BTreeMap<i64, Stretch>,
    #[serde(skip)]
    current: Option<(i64, Stretch)>,
}

/// One stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stretch {
    /// Lines in order.
    pub good: u64,
    /// Lines that fail.
    pub failing: u64,
}

/// How many stretches there are at most; twice as wide ones take their place when there are more.
const STRETCHES_MAX: usize = 512;

impl Default for Timeline {
    fn default() -> Self {
        Self { width: 1, stretches: BTreeMap::new(), current: None }
    }
}

impl Timeline {
    pub(super) fn count(&mut self, time: Timestamp, is_good: bool) {
        let at = time.seconds().div_euclid(self.width) * self.width;
        let mut current = match self.current.take() {
            Some((same, stretch)) if same == at => stretch,
            other => {
                self.put(other);
                Stretch::default()
            }
        };
        current.good += u64::from(is_good);
        current.failing += u64::from(!is_good);
        self.current = Some((at, current));
    }

    /// Takes in what was counted last.
    pub(super) fn settle(&mut self) {
        let current = self.current.take();
        self.put(current);
    }

    fn put(&mut self, counted: Option<(i64, Stretch)>) {
        let Some((at, counted)) = counted else { return };
        add(&mut self.stretches, at, counted);
        while STRETCHES_MAX < self.stretches.len() && self.width < i64::MAX / 2 {
            self.width *= 2;
            let mut wider = BTreeMap::new();
            for (at, stretch) in std::mem::take(&mut self.stretches) {
                add(&mut wider, at.div_euclid(self.width) * self.width, stretch);
            }
            self.stretches = wider;
        }
    }
}

fn add(stretches: &mut BTreeMap<i64, Stretch>, at: i64, counted: Stretch) {
    let stretch = stretches.entry(at).or_default();
    stretch.good += counted.good;
    stretch.failing += counted.failing;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_time_has_no_more_stretches_than_a_short_one() {
        let mut timeline = Timeline::default();
        for second in 0..10_000 {
            timeline.count(Timestamp::from_seconds(second - 5_000), second % 10 != 0);
        }
        timeline.settle();
        assert!(timeline.stretches.len() <= STRETCHES_MAX && timeline.width == 32);
        let sum = timeline
            .stretches
            .values()
            .fold((0, 0), |sum, it| (sum.0 + it.good, sum.1 + it.failing));
        assert_eq!(sum, (9_000, 1_000));
    }
}
