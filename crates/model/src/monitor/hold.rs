//! Which differences a gate cannot see in a call, so that it has to be told of them.

use std::collections::BTreeMap;

use super::drift::Drift;
use crate::enforce::Hold;

/// What no call shows.
const SILENT: [&str; 5] = ["auth", "credential", "key", "refresh lifetime", "role"];

/// What gates deny beyond the grants, by client, while these differences last.
///
/// Scopes, lives of tokens, redirects and events show in the call, and unknown clients have no grant.
/// Another owner is no power.
pub fn holds(drifts: &[Drift]) -> BTreeMap<String, Hold> {
    let mut all: BTreeMap<String, Hold> = BTreeMap::new();
    for drift in drifts {
        let what = drift.what();
        if !SILENT.contains(&what) {
            continue;
        }
        let hold = all.entry(drift.subject().to_owned()).or_default();
        match what {
            "role" => hold.whole = true,
            "refresh lifetime" => hold.refresh = true,
            _ => {
                let new = hold.credentials.get_or_insert_default();
                new.extend((what != "auth").then(|| drift.after.clone()));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(place: &str, after: &str) -> Drift {
        Drift {
            trigger: "key-changed".to_owned(),
            place: place.to_owned(),
            before: "unknown".to_owned(),
            after: after.to_owned(),
            by: None,
            at: None,
        }
    }

    #[test]
    fn what_no_call_shows_is_told_by_client() {
        let all = holds(&[
            drift("acme: role", "tenant-admin"),
            drift("acme: scope", "users:read"),
            drift("other: key", "k2"),
            drift("other: credential", "secret-1"),
            drift("third: auth", "none"),
            drift("fourth: refresh lifetime", "60 s"),
            drift("fifth: token lifetime", "60 s"),
            drift("sixth: owner", "nobody"),
        ]);
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(
            text,
            r#"{"acme":{"whole":true},"fourth":{"refresh":true},"other":{"credentials":["k2","secret-1"]},"third":{"credentials":[]}}"#
        );
    }
}
