//! Drills do the thing, on a canary copy or in a test tenant, with a stopwatch, and undo it.

pub mod old_credential;
pub mod rotates;
pub mod rotation;

pub(crate) mod demanded;

/// Milliseconds as people read them: `0.41 s`, `12 s`.
pub(crate) fn seconds(ms: u64) -> String {
    if ms % 1_000 == 0 {
        return format!("{} s", ms / 1_000);
    }
    format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_seconds() {
        assert_eq!([0, 7, 412, 2_000].map(seconds).join(", "), "0 s, 0.00 s, 0.41 s, 2 s");
    }
}
