//! Facts of the log checks, built by hand.

use serde_json::{Value, json};

use crate::sample::{Sample, sample};

/// An observation that is long enough and holds 50 requests.
pub(crate) fn window() -> Sample {
    sample().fact("window", observation(50, true))
}

/// An observation with so few requests.
pub(crate) fn short(requests: u64) -> Value {
    observation(requests, false)
}

/// An integration that declares no observation, and has made so many requests.
pub(crate) fn undeclared(requests: u64) -> Value {
    let mut fact = observation(requests, true);
    fact["declared"] = false.into();
    fact
}

fn observation(requests: u64, long_enough: bool) -> Value {
    json!({
        "requests": requests, "wanted": 40, "window_ms": 2_000, "observed_ms": 1_300,
        "long_enough": long_enough, "declared": true, "refused_last": 0,
    })
}

/// One share of 50, and so many lines that cannot be read.
pub(crate) fn part(name: &str, good: u64, unreadable: u64) -> Value {
    let failing: Vec<String> = (good..50).map(|it| format!("token log:{it}: no actor")).collect();
    json!({
        name: {"good": good, "all": 50, "failing": failing},
        "unreadable": {"count": unreadable, "first": ["token log:3: line is not UTF-8"]},
    })
}

/// The same as a fact of a sample.
pub(crate) fn parts(sample: Sample, label: &str, name: &str, good: u64, unreadable: u64) -> Sample {
    sample.fact(label, part(name, good, unreadable))
}

/// Nobody could be asked.
pub(crate) fn down() -> Value {
    json!({ "error": "it cannot be reached" })
}
