//! `diff`: declared, granted, used and certified, side by side.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::status::author;
use super::{Context, list, text};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::page::{beside, moment, table};

/// Shows what differs from what was certified.
pub(crate) async fn run(context: Context<'_>, target: &str) -> Outcome {
    let answer = context.client()?.get(&format!("/v1/integrations/{target}/diff")).await?;
    context.show(&answer, lines);
    Ok(Exit::Yes)
}

/// The scopes of every client, then the changes, one a line.
pub(crate) fn lines(answer: &Value) -> Vec<String> {
    let mut rows = Vec::new();
    for (client, scopes) in scopes(answer) {
        for (scope, seen) in scopes {
            let mark = |it: bool| if it { "yes" } else { "-" }.to_owned();
            rows.push(vec![
                client.clone(),
                scope,
                mark(seen.declared),
                mark(seen.granted),
                seen.certified.map_or_else(|| "-".to_owned(), mark),
                seen.used.map_or_else(|| "?".to_owned(), |it| it.to_string()),
            ]);
        }
    }
    let head = ["CLIENT", "SCOPE", "DECLARED", "GRANTED", "CERTIFIED", "USED"];
    let mut lines = table(&head, &rows);
    let used = &answer["used"];
    if let Some(since) = used["since"].as_str() {
        lines.push(format!("used: by the platform's own records since {}", moment(since)));
    }
    if let Some(error) = used["error"].as_str() {
        lines.extend(beside("used: not known: ", error));
    }
    lines.push(String::new());
    lines.extend(changes(answer));
    lines
}

/// What differs from what was certified.
pub(crate) fn changes(answer: &Value) -> Vec<String> {
    let changes = list(answer, "changes");
    if answer["baseline"].is_null() && changes.is_empty() {
        return vec!["nothing was certified before".to_owned()];
    }
    if changes.is_empty() {
        return vec!["nothing differs from what was certified".to_owned()];
    }
    let line = |it: &Value| {
        let sentence = text(it, "sentence");
        if !sentence.is_empty() {
            return beside("  ~ ", sentence);
        }
        let (place, path) = (text(it, "place"), text(it, "path"));
        let place = if place.is_empty() { path } else { place };
        if place.is_empty() {
            return beside("  ~ ", text(it, "trigger"));
        }
        let (before, after) = (text(it, "before"), text(it, "after"));
        let by = list(answer, "drifts").iter().find(|drift| same(drift, it));
        let by = by.map(author).filter(|it| !it.is_empty());
        let what = format!("{place}: {before} -> {after}  ({})", text(it, "trigger"));
        let mut lines = beside("  ~ ", &what);
        lines.extend(by.map(|it| format!("    {it}")));
        lines
    };
    changes.iter().flat_map(line).collect()
}

/// Whether two differences are the same one, whoever made it.
fn same(one: &Value, other: &Value) -> bool {
    ["trigger", "place", "before", "after"].iter().all(|it| one[*it] == other[*it])
}

/// What is known of one scope.
#[derive(Debug, Default)]
struct Seen {
    declared: bool,
    granted: bool,
    certified: Option<bool>,
    used: Option<u64>,
}

fn scopes(answer: &Value) -> BTreeMap<String, BTreeMap<String, Seen>> {
    let mut known: BTreeMap<String, BTreeMap<String, Seen>> = BTreeMap::new();
    let members = |it: &Value| -> Vec<(String, Value)> {
        let all = it.as_object().into_iter().flatten();
        all.map(|(name, it)| (name.clone(), it.clone())).collect()
    };
    let words = |it: &Value| -> BTreeSet<String> {
        let all = it.as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    for (client, scopes) in members(&answer["declared"]) {
        for scope in words(&scopes) {
            known.entry(client.clone()).or_default().entry(scope).or_default().declared = true;
        }
    }
    for (client, granted) in members(&answer["granted"]) {
        for scope in words(&granted["scopes"]) {
            known.entry(client.clone()).or_default().entry(scope).or_default().granted = true;
        }
    }
    for (client, granted) in members(&answer["baseline"]["granted"]) {
        for scope in words(&granted["scopes"]) {
            let seen = known.entry(client.clone()).or_default().entry(scope).or_default();
            seen.certified = Some(true);
        }
    }
    for (client, used) in members(&answer["used"]["clients"]) {
        let Some(scopes) = known.get_mut(&client) else { continue };
        for (scope, seen) in scopes {
            seen.used = Some(used["scopes"][scope.as_str()].as_u64().unwrap_or_default());
        }
    }
    if !answer["baseline"].is_null() {
        for seen in known.values_mut().flat_map(BTreeMap::values_mut) {
            seen.certified.get_or_insert(false);
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_scope_is_held_against_what_was_certified() {
        let answer = json!({
            "declared": { "acme": ["tickets:write"] },
            "granted": { "acme": { "scopes": ["tickets:write", "users:read.all"] } },
            "baseline": { "granted": { "acme": { "scopes": ["tickets:write"] } } },
            "used": { "since": "soon", "clients": { "acme": { "scopes": { "tickets:write": 12 } } } },
            "changes": [{ "place": "acme: scope", "before": "not granted", "after": "users:read.all", "trigger": "scope-added" }],
            "drifts": [{ "place": "acme: scope", "before": "not granted", "after": "users:read.all", "trigger": "scope-added", "by": "dana", "at": "soon" }],
        });
        insta::assert_snapshot!(lines(&answer).join("\n"), @r"
        CLIENT  SCOPE           DECLARED  GRANTED  CERTIFIED  USED
        acme    tickets:write   yes       yes      yes        12
        acme    users:read.all  -         yes      -          0
        used: by the platform's own records since soon

          ~ acme: scope: not granted -> users:read.all  (scope-added)
            by dana, soon
        ");
    }

    #[test]
    fn what_is_not_known_is_not_zero() {
        let answer = json!({ "declared": { "a": ["x"] }, "granted": {}, "baseline": null, "used": null, "changes": [] });
        insta::assert_snapshot!(lines(&answer).join("\n"), @r"
        CLIENT  SCOPE  DECLARED  GRANTED  CERTIFIED  USED
        a       x      yes       -        -          ?

        nothing was certified before
        ");
    }
}
