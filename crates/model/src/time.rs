//! Moments and lengths of time.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Written as RFC 3339 in UTC with three decimals: `2026-11-24T03:05:11.402Z`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment this many milliseconds after 1970, kept inside the years 0 to 9999.
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.clamp(-62_167_219_200_000, 253_402_300_799_999))
    }

    /// The moment this many seconds after 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_millis(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Self) -> Period {
        Period::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default())
    }
}

impl Add<Period> for Timestamp {
    type Output = Self;
    fn add(self, period: Period) -> Self {
        Self::from_millis(self.0.saturating_add(i64::try_from(period.millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Period> for Timestamp {
    type Output = Self;
    fn sub(self, period: Period) -> Self {
        Self::from_millis(self.0.saturating_sub(i64::try_from(period.millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(it) => f.pad(&format!("{it:.3}")),
            Err(_) => f.pad("out of range"),
        }
    }
}

/// A text is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a moment such as `2026-11-24T03:05:11Z` (RFC 3339)")]
pub struct TimestampError(pub String);

impl FromStr for Timestamp {
    type Err = TimestampError;
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        text.parse::<jiff::Timestamp>()
            .map(|it| Self::from_millis(it.as_millisecond()))
            .map_err(|_| TimestampError(text.chars().take(64).collect()))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;
    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(it: Timestamp) -> Self {
        it.to_string()
    }
}

/// A length of time, as a manifest writes it: a whole number and a unit, `250ms`, `5s`, `10m`, `4h`, `90d`.
///
/// At most 100 years. The canonical digest keeps what was written; two ways to write the same
/// length are equal here and different there.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = r"^\d{1,9}(ms|s|m|h|d)$"))]
pub struct Period(u64);

impl Period {
    /// The longest period: 100 years of 365 days.
    pub const MAX: Self = Self(100 * 365 * 86_400_000);

    /// This many milliseconds, at most [`Period::MAX`].
    pub const fn from_millis(ms: u64) -> Self {
        if ms > Self::MAX.0 { Self::MAX } else { Self(ms) }
    }

    /// This many seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self::from_millis(seconds.saturating_mul(1_000))
    }

    /// This many hours.
    pub const fn from_hours(hours: u64) -> Self {
        Self::from_seconds(hours.saturating_mul(3_600))
    }

    /// This many days of 24 hours.
    pub const fn from_days(days: u64) -> Self {
        Self::from_hours(days.saturating_mul(24))
    }

    /// Whole milliseconds.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds, rounded down.
    pub const fn seconds(self) -> u64 {
        self.0 / 1_000
    }

    /// The same for the standard library.
    pub const fn std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }

    /// This many times as long, at most [`Period::MAX`].
    pub const fn times(self, factor: u64) -> Self {
        Self::from_millis(self.0.saturating_mul(factor))
    }
}

impl Add for Period {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::from_millis(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            0 => (0, "s"),
            ms if ms % 86_400_000 == 0 => (ms / 86_400_000, "d"),
            ms if ms % 3_600_000 == 0 => (ms / 3_600_000, "h"),
            ms if ms % 60_000 == 0 => (ms / 60_000, "m"),
            ms if ms % 1_000 == 0 => (ms / 1_000, "s"),
            ms => (ms, "ms"),
        };
        f.pad(&format!("{number}{unit}"))
    }
}

/// A text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time such as `250ms`, `5s`, `10m`, `4h` or `90d`")]
pub struct PeriodError(pub String);

impl FromStr for Period {
    type Err = PeriodError;
    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let error = || PeriodError(text.chars().take(64).collect());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        if digits == 0 || digits > 9 {
            return Err(error());
        }
        let number: u64 = number.parse().map_err(|_| error())?;
        let ms_each = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(error()),
        };
        let ms = number * ms_each;
        if Self::MAX.0 < ms { Err(error()) } else { Ok(Self(ms)) }
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;
    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(it: Period) -> Self {
        it.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_back() {
        let moment = Timestamp::from_millis(1_795_489_511_402);
        assert_eq!(moment.to_string(), "2026-11-24T03:05:11.402Z");
        assert_eq!("2026-11-24T04:05:11.402+01:00".parse(), Ok(moment));
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn periods_read_back_or_are_refused() {
        let table = [
            ("0s", Some(0)),
            ("250ms", Some(250)),
            ("5s", Some(5_000)),
            ("60s", Some(60_000)),
            ("10m", Some(600_000)),
            ("4h", Some(14_400_000)),
            ("90d", Some(7_776_000_000)),
            ("", None),
            ("5", None),
            ("s", None),
            ("-5s", None),
            ("5 s", None),
            ("1.5h", None),
            ("5w", None),
            ("9999999999s", None),
            ("999999999d", None),
            ("٣s", None),
        ];
        for (text, ms) in table {
            assert_eq!(text.parse().ok(), ms.map(Period::from_millis), "parsing {text:?}");
        }
        assert_eq!(Period::from_seconds(60).to_string(), "1m");
    }
}
