//! When a job runs, as a manifest writes it: `02:00 UTC daily`.

use std::str::FromStr;

use jiff::tz::TimeZone;

use super::hours::{Days, minute_of_day, zone_of};
use crate::time::Period;

/// When a job runs.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// At a minute of the day, on some days: `02:00 UTC daily`, `06:30 Europe/Paris Mon-Fri`, `04:00 UTC day 1`.
    At {
        /// The minute of the day, from 0 to 1439.
        minute: u16,
        /// The zone in which that minute is meant.
        zone: TimeZone,
    },
    /// Again and again: `every 15m`.
    Every(Period),
    /// When something happens: `on order.signed`.
    On(String),
}

/// A text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a schedule such as `02:00 UTC daily`, `06:30 Europe/Paris Mon-Fri`, `04:00 UTC day 1`, `every 15m` or `on order.signed`"
)]
pub struct ScheduleError(pub String);

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let error = || ScheduleError(text.chars().take(120).collect());
        if 200 < text.len() {
            return Err(error());
        }
        let words: Vec<&str> = text.split([' ', ',']).filter(|it| !it.is_empty()).collect();
        match words.as_slice() {
            ["every", period] => {
                let period: Period = period.parse().map_err(|_| error())?;
                if period == Period::default() { Err(error()) } else { Ok(Self::Every(period)) }
            }
            ["on", event] => Ok(Self::On((*event).to_owned())),
            [time, zone, days @ ..] => {
                let minute = minute_of_day(time).filter(|it| *it < 24 * 60).ok_or_else(error)?;
                let zone = zone_of(zone).ok_or_else(error)?;
                if is_days(days) { Ok(Self::At { minute, zone }) } else { Err(error()) }
            }
            _ => Err(error()),
        }
    }
}

fn is_days(words: &[&str]) -> bool {
    match words {
        ["daily"] => true,
        ["day", day] => day.parse::<u8>().is_ok_and(|it| (1..=31).contains(&it)),
        [] => false,
        days => Days::of(days.iter().copied()).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_or_refused() {
        for (text, known) in [
            ("02:00 UTC daily", true),
            ("06:30 Europe/Paris Mon-Fri", true),
            ("06:30 Europe/Paris, Mon, Thu", true),
            ("04:00 UTC day 1", true),
            ("every 15m", true),
            ("on order.signed", true),
            ("", false),
            ("daily", false),
            ("02:00 UTC", false),
            ("24:00 UTC daily", false),
            ("02:00 Nowhere/Here daily", false),
            ("every 0s", false),
            ("every now and then", false),
            ("04:00 UTC day 32", false),
            ("0 2 * * *", false),
        ] {
            assert_eq!(text.parse::<Schedule>().is_ok(), known, "parsing {text:?}");
        }
    }
}
