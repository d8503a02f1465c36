//! What was offboarded, and when it is tried again: as people read it.

use serde_json::Value;

use super::{list, text};
use crate::page::moment;

/// One text for each drill: `oauth:acme: T+24 h gone, seen …; T+30 d owed at …`.
pub(crate) fn drills(sweeps: &[Value]) -> Vec<String> {
    let one = |it: &Value| {
        let looks: Vec<String> = list(it, "sweeps").iter().map(look).collect();
        let ended = match text(it, "ended") {
            "lost" => "; its credentials are lost, so nobody can try again",
            "missed" => "; its time is over",
            "revoked" => "; it ended with the revocation",
            _ => "",
        };
        format!("{}: {}{ended}", text(it, "subject"), looks.join("; "))
    };
    sweeps.iter().map(one).collect()
}

fn look(look: &Value) -> String {
    let (what, due) = (text(look, "what"), moment(text(look, "due")));
    let seen = || moment(text(look, "made"));
    match text(look, "state") {
        "gone" => format!("{what} gone, seen {}", seen()),
        "came-back" => format!("{what} CAME BACK, seen {}", seen()),
        "due" => format!("{what} due since {due}"),
        "overdue" => format!("{what} OVERDUE, was due {due}"),
        "never" => format!("{what} never made"),
        _ => format!("{what} owed at {due}"),
    }
}

/// What a run owes, one line for each client: `T+24 h at …, T+30 d at …`.
pub(crate) fn owed(owed: &[Value]) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for it in owed {
        let case = it["case"].as_str().map(|it| format!(" {it}")).unwrap_or_default();
        let head = format!("owed[{}{case}]: {}: ", text(it, "check"), text(it, "subject"));
        let look = format!("{} at {}", text(it, "what"), moment(text(it, "due")));
        match all.last_mut().filter(|it| it.0 == head) {
            Some((_, looks)) => {
                looks.push_str(", ");
                looks.push_str(&look);
            }
            None => all.push((head, look)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_look_has_its_state_and_date() {
        let look = |what: &str, state: &str, made: Option<&str>| {
            // No moments, so that no time zone matters.
            json!({ "what": what, "state": state, "due": "MONDAY", "made": made })
        };
        let drill = |subject: &str, ended: Option<&str>, looks: Vec<Value>| json!({ "subject": subject, "ended": ended, "sweeps": looks });
        let sweeps = [
            drill(
                "oauth:a",
                None,
                vec![look("T+24 h", "gone", Some("TUESDAY")), look("T+30 d", "owed", None)],
            ),
            drill(
                "oauth:b",
                None,
                vec![look("T+24 h", "overdue", None), look("T+30 d", "due", None)],
            ),
            drill("oauth:c", Some("found"), vec![look("T+24 h", "came-back", Some("TUESDAY"))]),
            drill("oauth:d", Some("lost"), vec![look("T+24 h", "never", None)]),
            drill("oauth:e", Some("whole"), vec![look("T+30 d", "gone", Some("FRIDAY"))]),
        ];
        insta::assert_snapshot!(drills(&sweeps).join("\n"), @r"
        oauth:a: T+24 h gone, seen TUESDAY; T+30 d owed at MONDAY
        oauth:b: T+24 h OVERDUE, was due MONDAY; T+30 d due since MONDAY
        oauth:c: T+24 h CAME BACK, seen TUESDAY
        oauth:d: T+24 h never made; its credentials are lost, so nobody can try again
        oauth:e: T+30 d gone, seen FRIDAY
        ");
    }

    #[test]
    fn what_a_run_owes_is_told_by_client() {
        let one = |subject: &str, what: &str| json!({ "check": "stays_gone", "case": "REV-10", "subject": subject, "what": what, "due": "MONDAY" });
        let all = [one("oauth:a", "T+24 h"), one("oauth:a", "T+30 d"), one("oauth:b", "T+24 h")];
        let lines: Vec<String> = owed(&all).into_iter().map(|(a, b)| a + &b).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        owed[stays_gone REV-10]: oauth:a: T+24 h at MONDAY, T+30 d at MONDAY
        owed[stays_gone REV-10]: oauth:b: T+24 h at MONDAY
        ");
    }
}
