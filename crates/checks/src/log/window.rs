//! Which lines count: the last stretch of a log that is long enough and holds enough requests.

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Environment;
use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};

/// For how long and how much has to be observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) window: Period,
    pub(super) minimum: u64,
    /// Whether the manifest asks for it. Where it does not, what is there is judged.
    pub(super) is_declared: bool,
}

/// What is looked at where no observation is declared: the latest of a day, or of a test.
const UNDECLARED: (Period, Period, u64) = (Period::from_hours(24), Period::from_seconds(10), 20);

impl Terms {
    pub(super) fn of(manifest: &Manifest) -> Self {
        match &manifest.observation {
            Some(it) => Self { window: it.window, minimum: it.minimum_requests, is_declared: true },
            None => Self {
                window: match manifest.environment {
                    Environment::Production => UNDECLARED.0,
                    Environment::Sandbox => UNDECLARED.1,
                },
                minimum: UNDECLARED.2,
                is_declared: false,
            },
        }
    }
}

/// The lines that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// From when on. Older lines are those of an earlier version, and say nothing about this one.
    pub(super) since: Timestamp,
    /// How many granted requests there are from then on.
    pub(super) requests: u64,
    /// Whether the log reaches back as far as the window.
    pub(super) is_long_enough: bool,
    /// How long it has been observed, if not.
    pub(super) observed: Period,
    /// How many requests were refused since the last one that was granted.
    pub(super) refused_last: u64,
}

/// The time of each request of a log, and whether it was granted.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    pub(super) granted: Vec<Timestamp>,
    pub(super) refused: Vec<Timestamp>,
    /// Granted ones without a time: they count whatever the window is.
    pub(super) timeless: u64,
}

impl Window {
    /// The last window before now; where it holds too few requests, as far back as there are enough.
    ///
    /// Nothing from before `begun` counts: that was another manifest.
    pub(super) fn of(
        mut times: Times,
        now: Timestamp,
        terms: Terms,
        begun: Option<Timestamp>,
    ) -> Self {
        let counts = |it: &Timestamp| begun.is_none_or(|begun| begun <= *it);
        times.granted.retain(counts);
        times.refused.retain(counts);
        times.granted.sort_unstable_by(|one, other| other.cmp(one));
        let start = now - terms.window;
        let index = usize::try_from(terms.minimum.saturating_sub(1)).unwrap_or(usize::MAX);
        let reaching = times.granted.get(index).or(times.granted.last()).copied();
        let since = reaching.map_or(start, |it| it.min(start));
        let since = begun.map_or(since, |it| it.max(since));
        let oldest = times.granted.iter().chain(&times.refused).min().copied();
        let newest = times.granted.first().copied();
        let inside = times.granted.iter().filter(|it| since <= **it).count();
        let refused_last = times.refused.iter().filter(|it| newest.is_none_or(|new| new < **it));
        Self {
            since,
            requests: u64::try_from(inside).unwrap_or(u64::MAX).saturating_add(times.timeless),
            is_long_enough: oldest.is_some_and(|it| it <= start),
            observed: oldest.map_or(Period::default(), |it| now.since(it)),
            refused_last: u64::try_from(refused_last.count()).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn fact(&self, terms: Terms) -> Value {
        json!({
            "since": self.since, "requests": self.requests, "wanted": terms.minimum,
            "window_ms": terms.window.millis(), "observed_ms": self.observed.millis(),
            "long_enough": self.is_long_enough, "declared": terms.is_declared,
            "refused_last": self.refused_last,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds of granted requests, of refused ones; since, requests, long enough, refused last.
    type Row = (&'static str, &'static [i64], &'static [i64], (i64, u64, bool, u64));

    #[test]
    fn the_last_window_counts_and_reaches_back_for_the_minimum() {
        let at = |it: &i64| Timestamp::from_seconds(*it);
        let terms = Terms { window: Period::from_seconds(10), minimum: 3, is_declared: true };
        // Now is 100.
        let table: [Row; 8] = [
            ("nothing", &[], &[], (90, 0, false, 0)),
            ("enough in the window", &[80, 91, 92, 93, 94], &[], (90, 4, true, 0)),
            ("an old version is out", &[10, 11, 12, 13, 91, 92, 93], &[], (90, 3, true, 0)),
            ("back for the minimum", &[70, 80, 85, 95], &[], (80, 3, true, 0)),
            ("too few", &[70, 80], &[], (70, 2, true, 0)),
            ("too short", &[95, 96, 97], &[], (90, 3, false, 0)),
            ("in any order", &[94, 80, 92, 91, 93], &[], (90, 4, true, 0)),
            ("refused since", &[80, 91, 92, 93], &[50, 94, 95], (90, 3, true, 2)),
        ];
        for (row, granted, refused, expected) in table {
            let times = Times {
                granted: granted.iter().map(at).collect(),
                refused: refused.iter().map(at).collect(),
                timeless: 0,
            };
            let it = Window::of(times, at(&100), terms, None);
            let seen = (it.since.seconds(), it.requests, it.is_long_enough, it.refused_last);
            assert_eq!(seen, expected, "{row}");
        }
    }

    #[test]
    fn what_another_manifest_did_counts_neither_for_nor_against_this_one() {
        let at = |it: &i64| Timestamp::from_seconds(*it);
        let terms = Terms { window: Period::from_seconds(10), minimum: 3, is_declared: true };
        let times = || Times {
            granted: [80, 85, 91, 96, 97].iter().map(at).collect(),
            refused: [90, 98].iter().map(at).collect(),
            timeless: 0,
        };
        let seen = |begun: i64| {
            let it = Window::of(times(), at(&100), terms, Some(at(&begun)));
            (it.since.seconds(), it.requests, it.is_long_enough, it.refused_last)
        };
        assert_eq!(seen(70), (90, 3, true, 1));
        assert_eq!(seen(95), (95, 2, false, 1), "too few, and not for long enough");
        assert_eq!(seen(99), (99, 0, false, 0));
    }
}
