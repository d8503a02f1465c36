//! Watched rotations built by hand.

use serde_json::{Value, json};

use super::requests::{Counts, Requests};
use crate::sample::{Sample, sample};

/// These keys at a moment; each is what its name says.
pub(crate) fn keys(after_ms: u64, kids: &[&str]) -> Value {
    let keys = kids.iter().map(|it| json!({"kid": it, "key": format!("{it}-key")}));
    json!({"after_ms": after_ms, "keys": keys.collect::<Vec<_>>()})
}

/// Requests by key: granted before, granted during, refused during, granted after.
pub(crate) fn requests(rows: &[(&str, u64, u64, u64, u64)]) -> Value {
    let by_key = rows.iter().map(|(kid, before, during, refused, after)| {
        let counts = Counts {
            before: *before,
            during: *during,
            refused: *refused,
            after: *after,
            last_ms: 0,
        };
        ((*kid).to_owned(), counts)
    });
    serde_json::to_value(Requests { by_key: by_key.collect(), ..Requests::default() }).unwrap()
}

/// A rotation that began with one key, `old`, and was answered like this.
pub(crate) fn started(status: u16, text: &str) -> Sample {
    sample()
        .fact("keys-before", keys(0, &["old"]))
        .fact("requests-before", requests(&[("old", 9, 0, 0, 0)]))
        .answered("rotate", status, text)
}

/// The same, and after four seconds these keys and requests.
pub(crate) fn rotated(kids: &[&str], requests: Value) -> Sample {
    started(202, r#"{"status":"rotating"}"#)
        .fact("keys", keys(300, &["new", "old"]))
        .fact("keys-after", keys(4_000, kids))
        .fact("requests", requests)
}
