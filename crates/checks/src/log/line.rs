//! One line of a log, and what keeps it from being a record.

use super::tree::Object;

/// A line is not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is longer than a line may be.
    #[error("line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// It is nested deeper than a line may be.
    #[error("line is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// It is not text.
    #[error("line is not UTF-8 from byte {0} on")]
    NotText(usize),
    /// It is not a JSON object.
    #[error("line is not a JSON object: {0}")]
    NotAnObject(String),
    /// Its last value has no end.
    #[error("line ends inside a value")]
    CutOff,
    /// It tells of no event: a server writes such lines beside its events.
    #[error("line tells of no event")]
    NoEvent,
}

/// The longest line that is read: 1 MiB.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;
/// The deepest nesting that is read.
pub const DEPTH_MAX: usize = 32;

/// The object of a line of JSON.
pub(super) fn object(line: &[u8]) -> Result<Object<'_>, LineError> {
    let text = text(line)?;
    let opened = memchr::memchr2_iter(b'{', b'[', line).take(DEPTH_MAX + 1).count();
    if DEPTH_MAX < opened && DEPTH_MAX < depth(line) {
        return Err(LineError::TooDeep);
    }
    serde_json::from_str(text).map_err(|it| LineError::NotAnObject(problem(&it)))
}

/// The text of a line, where it is not too long.
pub(super) fn text(line: &[u8]) -> Result<&str, LineError> {
    if LINE_BYTES_MAX < line.len() {
        return Err(LineError::TooLong);
    }
    std::str::from_utf8(line).map_err(|it| LineError::NotText(it.valid_up_to() + 1))
}

/// What is wrong with JSON; the line is the reader's to name.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    format!("{what} at byte {}", error.column())
}

/// How deep brackets nest, outside strings.
fn depth(line: &[u8]) -> usize {
    let (mut now, mut most, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}
