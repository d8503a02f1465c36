//! At most so many in any hour.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use countersign_model::declare::words::Slug;
use countersign_model::time::{Period, Timestamp};

const HOUR: Period = Period::from_hours(1);

/// The admitted token requests of the last hour: at most 3 601 numbers for each integration.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    recent: Mutex<BTreeMap<Slug, Window>>,
}

/// How many in each second, the oldest first.
#[derive(Debug, Default)]
struct Window {
    seconds: VecDeque<Second>,
    total: u64,
}

#[derive(Debug)]
struct Second {
    /// The last one in it; all of it counts until an hour after that.
    last: Timestamp,
    count: u64,
}

impl Rates {
    /// Takes one, if there is room in the hour before `now`.
    ///
    /// A poisoned lock takes none: what is not known is denied.
    pub(crate) fn take(&self, integration: &Slug, limit: u32, now: Timestamp) -> bool {
        let Ok(mut recent) = self.recent.lock() else { return false };
        if let Some(mine) = recent.get_mut(integration) {
            return mine.take(limit, now);
        }
        recent.entry(integration.clone()).or_default().take(limit, now)
    }

    /// Forgets integrations that are no longer known.
    pub(crate) fn keep(&self, is_known: impl Fn(&Slug) -> bool) {
        if let Ok(mut recent) = self.recent.lock() {
            recent.retain(|slug, _| is_known(slug));
        }
    }
}

impl Window {
    fn take(&mut self, limit: u32, now: Timestamp) -> bool {
        while let Some(first) = self.seconds.front()
            && first.last + HOUR <= now
        {
            self.total = self.total.saturating_sub(first.count);
            self.seconds.pop_front();
        }
        if u64::from(limit) <= self.total {
            return false;
        }
        self.total += 1;
        match self.seconds.back_mut() {
            // A clock that went back adds to the newest second, so nothing is freed early.
            Some(back) if now.seconds() <= back.last.seconds() => {
                back.last = back.last.max(now);
                back.count += 1;
            }
            _ => self.seconds.push_back(Second { last: now, count: 1 }),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug() -> Slug {
        "northwind-resell".parse().unwrap()
    }

    #[test]
    fn an_hour_holds_its_limit_and_frees_it_again() {
        let (rates, slug) = (Rates::default(), slug());
        let at = Timestamp::from_seconds;
        assert!(rates.take(&slug, 2, at(0)));
        assert!(rates.take(&slug, 2, at(1)));
        assert!(!rates.take(&slug, 2, at(3_599)));
        assert!(rates.take(&slug, 2, at(3_600)));
        assert!(!rates.take(&slug, 2, at(3_600)));
    }

    #[test]
    fn no_hour_ever_holds_more_than_the_limit() {
        let (rates, slug) = (Rates::default(), slug());
        let mut admitted = Vec::new();
        for step in 0..20_000_i64 {
            let now = Timestamp::from_millis(step * 977);
            if rates.take(&slug, 50, now) {
                admitted.push(now.millis());
            }
        }
        for (index, first) in admitted.iter().enumerate() {
            let in_the_hour = admitted[index..].iter().take_while(|it| **it < first + 3_600_000);
            assert!(in_the_hour.count() <= 50, "from {first}");
        }
        assert!(200 < admitted.len(), "{}", admitted.len());
    }

    #[test]
    fn what_is_kept_is_bounded_and_a_clock_that_goes_back_frees_nothing() {
        let (rates, slug) = (Rates::default(), slug());
        for step in 0..100_000_i64 {
            assert!(rates.take(&slug, u32::MAX, Timestamp::from_millis(step * 100)));
        }
        assert!(rates.recent.lock().unwrap()[&slug].seconds.len() <= 3_601);
        let rates = Rates::default();
        assert!(rates.take(&slug, 1, Timestamp::from_seconds(7_200)));
        assert!(!rates.take(&slug, 1, Timestamp::from_seconds(0)));
        rates.keep(|_| false);
        assert!(rates.take(&slug, 1, Timestamp::from_seconds(0)));
    }
}
