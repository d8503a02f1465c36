//! Lines as people read them: at most 100 columns, times as the clock on their wall shows them.

use jiff::tz::TimeZone;
use serde_json::Value;

/// How wide a line may be.
pub(crate) const COLUMNS: usize = 100;

/// `head`, then `text` beside it, continued below where it is too long for the line.
pub(crate) fn beside(head: &str, text: &str) -> Vec<String> {
    let indent = head.chars().count();
    let room = COLUMNS.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = Vec::new();
    for part in wrap(text, room) {
        let lead = if lines.is_empty() { head.to_owned() } else { " ".repeat(indent) };
        lines.push(format!("{lead}{part}").trim_end().to_owned());
    }
    lines
}

/// Text in lines of at most `room` columns; a word that is longer stays whole, so that it can be copied.
/// What fits stays as it is.
pub(crate) fn wrap(text: &str, room: usize) -> Vec<String> {
    if text.chars().count() <= room && !text.contains('\n') {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if 0 < used && room < used + 1 + length {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if 0 < used {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
    }
    lines
}

/// A moment of a JSON document, in local time; the text itself where it is no moment.
pub(crate) fn moment(text: &str) -> String {
    in_zone(text, TimeZone::system())
}

fn in_zone(text: &str, zone: TimeZone) -> String {
    let Ok(moment) = text.parse::<jiff::Timestamp>() else { return text.to_owned() };
    moment.to_zoned_datetime(zone).strftime("%-d %b %Y %H:%M:%S").to_string()
}

/// How long until a moment, in its largest unit: `84 d`; `over` where it has passed.
pub(crate) fn until(text: &str, now_ms: i64) -> String {
    let Ok(moment) = text.parse::<jiff::Timestamp>() else { return String::new() };
    let seconds = (moment.as_millisecond() - now_ms) / 1_000;
    match seconds {
        ..=0 => "over".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How long ago a moment was, in its largest unit: `6 d`.
pub(crate) fn since(text: &str, now_ms: i64) -> String {
    let Ok(moment) = text.parse::<jiff::Timestamp>() else { return String::new() };
    match (now_ms - moment.as_millisecond()) / 1_000 {
        ..60 => "now".to_owned(),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..86_400 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// Milliseconds as seconds: `0.41 s`.
pub(crate) fn seconds(ms: u64) -> String {
    format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10)
}

/// How a state is marked, beside its word.
pub(crate) fn mark(state: &str) -> &'static str {
    match state {
        "certified" => "●",
        "conditional" => "◐",
        "due" => "◔",
        "suspended" => "‖",
        "revoked" => "✕",
        _ => "○",
    }
}

/// A table whose columns are as wide as their widest cell; the last one is wrapped.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let last = head.len().saturating_sub(1);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|it| it.get(column)).map(|it| it.chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..last).map(width).collect();
    let line = |cells: &[String]| {
        let mut lead = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let gap = width + 2 - cell.chars().count().min(*width);
            lead.push_str(cell);
            lead.push_str(&" ".repeat(gap));
        }
        beside(&lead, cells.get(last).map_or("", String::as_str))
    };
    let titles: Vec<String> = head.iter().map(|it| (*it).to_owned()).collect();
    let mut lines = line(&titles);
    lines.extend(rows.iter().flat_map(|it| line(it)));
    lines
}

/// The words of a list in JSON, or another word where it is empty.
pub(crate) fn words_or(value: &Value, name: &str, none: &str) -> String {
    let words = crate::command::joined(value, name);
    if words.is_empty() { none.to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_goes_on_below_itself() {
        let text = "every scope is used, or carries a dated waiver that somebody else than the requester granted in time";
        let lines = beside("   = expected: ", text);
        insta::assert_snapshot!(lines.join("\n"), @r"
           = expected: every scope is used, or carries a dated waiver that somebody else than the requester
                       granted in time
        ");
        assert!(lines.iter().all(|it| it.chars().count() <= COLUMNS));
        let id = "x".repeat(120);
        assert_eq!(beside("id  ", &id), [format!("id  {id}")], "an id is never cut");
    }

    #[test]
    fn moments_and_spans_are_words() {
        assert_eq!(in_zone("2026-11-24T03:05:11.402Z", TimeZone::UTC), "24 Nov 2026 03:05:11");
        assert_eq!(in_zone("soon", TimeZone::UTC), "soon");
        let now = "2026-11-24T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let table = [
            ("2026-11-24T00:00:00Z", "over"),
            ("2026-11-24T00:00:59Z", "59 s"),
            ("2026-11-24T00:02:00Z", "2 min"),
            ("2026-11-24T05:00:00Z", "5 h"),
            ("2026-12-04T01:00:00Z", "10 d"),
        ];
        for (text, expected) in table {
            assert_eq!(until(text, now), expected, "{text}");
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["payrun-hr", "● certified", "-"]), row(["x", "✕ revoked", "revoked"])];
        insta::assert_snapshot!(table(&["INTEGRATION", "STATE", "BECAUSE"], &rows).join("\n"), @r"
        INTEGRATION  STATE        BECAUSE
        payrun-hr    ● certified  -
        x            ✕ revoked    revoked
        ");
    }
}
