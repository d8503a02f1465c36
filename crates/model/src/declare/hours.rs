//! Hours of the week, as a manifest writes them: `06:00-20:00 Europe/Amsterdam, Mon-Fri`.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;

use crate::time::{Period, Timestamp};

/// Hours of the week in a time zone; summer time is the zone's own.
///
/// A window that ends before it starts runs past midnight and belongs to the day on which it
/// starts: `22:00-06:00 UTC, Fri` ends on Saturday at six. The end is not included.
#[derive(Debug, Clone)]
pub struct Hours {
    text: String,
    zone: TimeZone,
    windows: Vec<Window>,
    days: Days,
}

/// From the first minute of a day up to, but not including, the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    start: u16,
    end: u16,
}

/// Days of the week, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days([bool; 7]);

/// A text is not hours of the week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not hours such as `06:00-20:00 Europe/Amsterdam, Mon-Fri`: {problem}")]
pub struct HoursError {
    /// What was given, cut at 120 characters.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Hours {
    /// Whether a moment lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        let Some((day, minute)) = day_and_minute(&self.zone, at) else { return false };
        let yesterday = (day + 6) % 7;
        self.windows.iter().any(|it| {
            if it.start < it.end {
                self.days.has(day) && (it.start..it.end).contains(&minute)
            } else {
                (self.days.has(day) && it.start <= minute)
                    || (self.days.has(yesterday) && minute < it.end)
            }
        })
    }

    /// The first moment from `from` on at which a stretch of this length lies inside, up to eight days
    /// ahead. None where no stretch is that long.
    pub fn next_stretch(&self, from: Timestamp, length: Period) -> Option<Timestamp> {
        const MINUTE_MS: i64 = 60_000;
        let first = from.millis().div_euclid(MINUTE_MS);
        let length_ms = i64::try_from(length.millis()).ok()?;
        let minutes = DAYS_AHEAD * 24 * 60 + length_ms / MINUTE_MS + 2;
        let mut start: Option<Timestamp> = None;
        for minute in first..first.saturating_add(minutes.min(MINUTES_MAX)) {
            let at = Timestamp::from_millis(minute.saturating_mul(MINUTE_MS));
            if !self.contains(at) {
                start = None;
                continue;
            }
            let since = *start.get_or_insert(at.max(from));
            let end = at.millis().saturating_add(MINUTE_MS);
            if length_ms <= end.saturating_sub(since.millis()) {
                return Some(since);
            }
        }
        None
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// How far ahead a stretch is looked for: every week of a zone has the same days.
const DAYS_AHEAD: i64 = 8;
/// However long a stretch is asked for.
const MINUTES_MAX: i64 = 16 * 24 * 60;

impl PartialEq for Hours {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Hours {}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let error = |problem| HoursError { text: text.chars().take(120).collect(), problem };
        if TEXT_MAX < text.len() {
            return Err(error("it is too long"));
        }
        // Windows come first, each with a `:`; then the zone; then the days.
        let mut words = text.split([' ', ',']).filter(|it| !it.is_empty()).peekable();
        let mut windows = Vec::new();
        while let Some(word) = words.next_if(|it| it.contains(':')) {
            windows
                .push(window(word).ok_or_else(|| error("a window is `HH:MM-HH:MM`, up to 24:00"))?);
        }
        if windows.is_empty() {
            return Err(error("it starts with a window, `HH:MM-HH:MM`"));
        }
        let zone =
            words.next().ok_or_else(|| error("a time zone follows the window, such as `UTC`"))?;
        let zone = zone_of(zone).ok_or_else(|| error("this time zone is not known"))?;
        let days = Days::of(words).ok_or_else(|| error("days are `Mon-Fri` or `Sat, Sun`"))?;
        Ok(Self { text: text.to_owned(), zone, windows, days })
    }
}

/// The day of the week, Monday is 0, and the minute of the day.
fn day_and_minute(zone: &TimeZone, at: Timestamp) -> Option<(usize, u16)> {
    let moment = jiff::Timestamp::from_millisecond(at.millis()).ok()?;
    let local = zone.to_datetime(moment);
    let day = usize::try_from(local.weekday().to_monday_zero_offset()).ok()?;
    let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
    Some((day, u16::try_from(minute).ok()?))
}

impl Days {
    const ALL: Self = Self([true; 7]);

    fn has(self, day: usize) -> bool {
        self.0.get(day).copied().unwrap_or_default()
    }

    /// Days and ranges of days; no word at all means every day.
    pub(super) fn of<'a>(words: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut days = [false; 7];
        let mut none = true;
        for word in words {
            none = false;
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let (mut day, last) = (day_of(first)?, day_of(last)?);
            loop {
                if let Some(it) = days.get_mut(day) {
                    *it = true;
                }
                if day == last {
                    break;
                }
                day = (day + 1) % 7;
            }
        }
        Some(if none { Self::ALL } else { Self(days) })
    }
}

fn window(word: &str) -> Option<Window> {
    let (start, end) = word.split_once('-')?;
    let window = Window { start: minute_of_day(start)?, end: minute_of_day(end)? };
    // An empty window would be written by mistake only: nothing is ever inside it.
    (window.start != window.end && window.start < 24 * 60).then_some(window)
}

/// The minute of `HH:MM`, from `00:00` to `24:00`.
pub(super) fn minute_of_day(text: &str) -> Option<u16> {
    let digits = |it: &str| it.len() == 2 && it.bytes().all(|it| it.is_ascii_digit());
    let (hour, minute) =
        text.split_once(':').filter(|(hour, minute)| digits(hour) && digits(minute))?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let at = hour * 60 + minute;
    (minute < 60 && at <= 24 * 60).then_some(at)
}

/// The zone of an IANA name, from the database that is compiled in.
pub(super) fn zone_of(name: &str) -> Option<TimeZone> {
    if matches!(name, "UTC" | "Z") {
        return Some(TimeZone::UTC);
    }
    let plausible = name.contains('/')
        && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"/_+-".contains(&it));
    plausible.then(|| TimeZone::get(name).ok()).flatten()
}

fn day_of(word: &str) -> Option<usize> {
    DAYS.iter().position(|it| word.eq_ignore_ascii_case(it))
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const TEXT_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_lie_inside_or_outside() {
        let work = "06:00-20:00 Europe/Amsterdam, Mon-Fri";
        let night = "22:00-06:00 UTC, Fri";
        let table = [
            // Wednesday; Amsterdam is one hour ahead of UTC in winter, two in summer.
            (work, "2026-11-25T05:00:00Z", true),
            (work, "2026-11-25T04:59:59.999Z", false),
            (work, "2026-11-25T18:59:59.999Z", true),
            (work, "2026-11-25T19:00:00Z", false),
            (work, "2026-07-01T04:00:00Z", true),
            (work, "2026-07-01T03:59:00Z", false),
            // Saturday there, still Friday in UTC.
            ("00:00-01:00 Europe/Amsterdam, Sat", "2026-11-27T23:30:00Z", true),
            (work, "2026-11-28T10:00:00Z", false),
            // The night of a Friday ends on Saturday.
            (night, "2026-11-27T22:00:00Z", true),
            (night, "2026-11-28T05:59:59Z", true),
            (night, "2026-11-28T06:00:00Z", false),
            (night, "2026-11-28T22:30:00Z", false),
            (night, "2026-11-27T03:00:00Z", false),
            ("00:00-24:00 UTC", "2026-11-28T23:59:59Z", true),
            ("00:00-24:00 UTC, Sat-Mon", "2026-11-30T23:59:59Z", true),
            ("00:00-24:00 UTC, Sat-Mon", "2026-12-01T00:00:00Z", false),
            ("08:00-12:00, 13:00-17:00 UTC, Mon, Wed", "2026-11-25T12:30:00Z", false),
            ("08:00-12:00, 13:00-17:00 UTC, Mon, Wed", "2026-11-25T13:00:00Z", true),
            ("08:00-12:00, 13:00-17:00 UTC, Mon, Wed", "2026-11-24T13:00:00Z", false),
        ];
        for (hours, moment, inside) in table {
            let (hours, at): (Hours, Timestamp) = (hours.parse().unwrap(), moment.parse().unwrap());
            assert_eq!(hours.contains(at), inside, "{moment} in {hours}");
        }
    }

    #[test]
    fn summer_time_starts_and_ends_on_the_wall() {
        // On 29 March 2026 Amsterdam has no 02:30, on 25 October it has two of them.
        let hours: Hours = "02:00-03:00 Europe/Amsterdam".parse().unwrap();
        let inside = |day: &str| {
            (0..24 * 60)
                .filter(|minute| {
                    let start: Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
                    hours.contains(Timestamp::from_seconds(start.seconds() + minute * 60))
                })
                .count()
        };
        assert_eq!(
            (inside("2026-03-29"), inside("2026-07-01"), inside("2026-10-25")),
            (0, 60, 120)
        );
    }

    #[test]
    fn the_next_stretch_is_long_enough() {
        let hours: Hours = "06:00-20:00 UTC, Mon-Fri".parse().unwrap();
        let ten = Period::from_seconds(600);
        for (from, length, expected) in [
            // 24 November 2026 is a Tuesday.
            ("2026-11-24T07:00:30Z", ten, Some("2026-11-24T07:00:30Z")),
            ("2026-11-24T19:50:00Z", ten, Some("2026-11-24T19:50:00Z")),
            ("2026-11-24T19:55:00Z", ten, Some("2026-11-25T06:00:00Z")),
            ("2026-11-27T21:00:00Z", ten, Some("2026-11-30T06:00:00Z")),
            ("2026-11-24T07:00:00Z", Period::from_hours(15), None),
        ] {
            let got = hours.next_stretch(from.parse().unwrap(), length);
            assert_eq!(got, expected.map(|it| it.parse().unwrap()), "{from}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "UTC",
            "06:00-20:00",
            "6:00-20:00 UTC",
            "06:00-20:60 UTC",
            "06:00-25:00 UTC",
            "06:00-06:00 UTC",
            "24:00-06:00 UTC",
            "06:00-20:00 Mars/Olympus",
            "06:00-20:00 UTC, Someday",
            "06:00-20:00 ../../etc/passwd",
            "06:00 UTC",
            "06:00-20:00 UTC, Mon-",
            "always",
        ] {
            assert!(text.parse::<Hours>().is_err(), "parsing {text:?}");
        }
        assert!("9".repeat(100_000).parse::<Hours>().is_err());
    }
}
