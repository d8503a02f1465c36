//! A moment, however a log writes it.

use countersign_model::time::Timestamp;

use super::tree::Value;

/// RFC 3339; or seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return whole(number);
    }
    let is_number = text.bytes().all(|it| it.is_ascii_digit() || b".eE+-".contains(&it));
    if is_number && let Ok(seconds) = text.parse::<f64>() {
        return fraction(seconds);
    }
    text.parse().ok().or_else(|| spoken(text))
}

/// `Nov 18, 2026, 11:21:40 AM`, in UTC, as answers of AWS STS are written down.
fn spoken(text: &str) -> Option<Timestamp> {
    let mut words = text.split([' ', ',', ':']).filter(|it| !it.is_empty());
    let number = |it: Option<&str>| it?.parse::<u32>().ok();
    let month = words.next().and_then(|name| MONTHS.iter().position(|it| *it == name))? + 1;
    let (day, year) = (number(words.next())?, number(words.next())?);
    let hour = number(words.next()).filter(|it| (1..=12).contains(it))? % 12;
    let (minute, second) = (number(words.next())?, number(words.next())?);
    let hour = match words.next()? {
        "AM" => hour,
        "PM" => hour + 12,
        _ => return None,
    };
    let stands = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    if words.next().is_none() { stands.parse().ok() } else { None }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The same of a value.
pub(super) fn moment_of(value: &Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Natural(it) => whole(i64::try_from(*it).ok()?),
        Value::Negative(it) => whole(*it),
        Value::Fraction(it) => fraction(*it),
        Value::Text(it) => moment(it),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => None,
    }
}

fn whole(number: i64) -> Option<Timestamp> {
    let ms = match number.unsigned_abs() {
        0..SECONDS_END => number.checked_mul(1_000)?,
        SECONDS_END..MILLIS_END => number,
        MILLIS_END..MICROS_END => number / 1_000,
        _ => number / 1_000_000,
    };
    Some(Timestamp::from_millis(ms))
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn fraction(number: f64) -> Option<Timestamp> {
    if !number.is_finite() || 1e18 < number.abs() {
        return None;
    }
    if number.fract() == 0.0 {
        return whole(number as i64);
    }
    let ms = if number.abs() < 1e11 { number * 1_000.0 } else { number };
    Some(Timestamp::from_millis(ms.round() as i64))
}

/// Seconds until the year 5138.
const SECONDS_END: u64 = 100_000_000_000;
const MILLIS_END: u64 = SECONDS_END * 1_000;
const MICROS_END: u64 = MILLIS_END * 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        let table = [
            ("2026-11-24T03:10:11Z", Some(1_795_489_811_000)),
            ("2026-11-24T04:10:11.250+01:00", Some(1_795_489_811_250)),
            ("1795489811", Some(1_795_489_811_000)),
            ("1795489811.25", Some(1_795_489_811_250)),
            ("1795489811250", Some(1_795_489_811_250)),
            ("1795489811250000", Some(1_795_489_811_250)),
            ("1795489811250000000", Some(1_795_489_811_250)),
            ("1.795489811e9", Some(1_795_489_811_000)),
            (" 1795489811 ", Some(1_795_489_811_000)),
            ("Nov 24, 2026, 3:10:11 AM", Some(1_795_489_811_000)),
            ("Nov 24, 2026, 13:10:11 AM", None),
            ("Nov 31, 2026, 1:10:11 AM", None),
            ("yesterday", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-11-24", None),
            ("1e300", None),
            ("-", None),
            ("", None),
        ];
        for (text, ms) in table {
            assert_eq!(moment(text).map(Timestamp::millis), ms, "{text:?}");
        }
    }
}
