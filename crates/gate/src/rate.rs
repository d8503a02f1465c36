//! At most so many in any hour.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use countersign_model::declare::words::Slug;
use countersign_model::time::{Period, Timestamp};

/// How many moments are kept for one integration; a limit above it counts as this.
const KEPT_MAX: usize = 100_000;

/// The admitted token requests of the last hour.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    recent: Mutex<BTreeMap<Slug, VecDeque<Timestamp>>>,
}

impl Rates {
    /// Takes one, if there is room in the hour before `now`.
    ///
    /// A poisoned lock takes none: what is not known is denied.
    pub(crate) fn take(&self, integration: &Slug, limit: u32, now: Timestamp) -> bool {
        let limit = usize::try_from(limit).unwrap_or(KEPT_MAX).min(KEPT_MAX);
        let Ok(mut recent) = self.recent.lock() else { return false };
        let mine = recent.entry(integration.clone()).or_default();
        while mine.front().is_some_and(|it| *it + Period::from_hours(1) <= now) {
            mine.pop_front();
        }
        let room = mine.len() < limit;
        if room {
            mine.push_back(now);
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_holds_its_limit_and_frees_it_again() {
        let rates = Rates::default();
        let slug: Slug = "northwind-resell".parse().unwrap();
        let at = Timestamp::from_seconds;
        assert!(rates.take(&slug, 2, at(0)));
        assert!(rates.take(&slug, 2, at(1)));
        assert!(!rates.take(&slug, 2, at(3_599)));
        assert!(rates.take(&slug, 2, at(3_600)));
        assert!(!rates.take(&slug, 2, at(3_600)));
    }
}
