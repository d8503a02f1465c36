//! `status`: state, reasons and dates, and whom each integration waits for.

use std::time::Duration;

use serde_json::Value;

use super::{Context, joined, list, number, sweeps, text, withdraw};
use crate::args::StatusArgs;
use crate::client::Client;
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::{beside, mark, moment, seconds, since, table, until, words_or};

/// How often a watched status is asked for.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Shows one integration, or all; again at each change where it is watched.
pub(crate) async fn run(context: Context<'_>, args: &StatusArgs) -> Outcome {
    let client = context.client()?;
    let mut shown = None;
    loop {
        let answer = fetch(&client, args).await?;
        let population = match &args.target {
            Some(_) => Value::Null,
            // A platform that does not tell spoils nothing of what is known here.
            None => client.get("/v1/population").await.unwrap_or_default(),
        };
        if shown.as_ref() != Some(&(answer.clone(), population.clone())) {
            context.show(&answer, |it| match &args.target {
                Some(_) => one(it),
                None => all(it, &population),
            });
            shown = Some((answer, population));
        }
        if !args.watch {
            return Ok(Exit::Yes);
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

async fn fetch(client: &Client, args: &StatusArgs) -> Result<Value, Failure> {
    if let Some(target) = &args.target {
        return client.get(&format!("/v1/integrations/{target}")).await;
    }
    let answer = client.get("/v1/integrations").await?;
    let rows = answer.as_array().cloned().unwrap_or_default();
    let waits = |it: &Value| !args.needs_me || !needs(it).is_empty();
    Ok(rows.into_iter().filter(waits).collect())
}

/// What a person has to do next; empty where nothing waits for anybody.
fn needs(row: &Value) -> &'static str {
    match text(row, "state") {
        "submitted" => "check",
        "checking" => "findings to mend",
        "in-review" => "two people to decide",
        "due" => "recertification",
        "lapsed" => "certification",
        "suspended" => "two people to resume",
        _ => "",
    }
}

fn all(answer: &Value, population: &Value) -> Vec<String> {
    let all = answer.as_array().map_or(&[][..], Vec::as_slice);
    let now = clock::now().millis();
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|it| {
            let state = text(it, "state");
            let end = text(it, "admits_until");
            let end = if end.is_empty() { "-".to_owned() } else { until(end, now) };
            let needs = needs(it);
            vec![
                text(it, "slug").to_owned(),
                format!("{} {state}", mark(state)),
                end,
                text(it, "tier").to_owned(),
                last_drill(&it["drill"], now),
                if needs.is_empty() { "-".to_owned() } else { needs.to_owned() },
                words_or(it, "reasons", "-"),
            ]
        })
        .collect();
    let head = ["INTEGRATION", "STATE", "ADMITS FOR", "TIER", "LAST DRILL", "NEEDS", "BECAUSE"];
    let mut lines = table(&head, &rows);
    lines.extend(adopted(population, now));
    let shown = format!("{} shown", rows.len());
    let [found, known, left] = ["found", "known", "unexplained"].map(|it| number(population, it));
    lines.push(if population.is_null() {
        shown
    } else {
        format!("{shown}   {found} at the platform, {known} known here, {left} unexplained")
    });
    lines
}

/// Clients that nobody declared and somebody answers for; those whose time is over first.
fn adopted(population: &Value, now_ms: i64) -> Vec<String> {
    let mut all: Vec<&Value> = list(population, "adopted").iter().collect();
    all.sort_by_key(|it| (text(it, "until"), text(it, "client_id")));
    let row = |it: &&Value| {
        let is_over = text(it, "class") == "overdue";
        let end =
            if is_over { "over: CTS-GOV-02".to_owned() } else { until(text(it, "until"), now_ms) };
        vec![
            text(it, "client_id").to_owned(),
            text(it, "class").to_owned(),
            end,
            text(it, "owner").to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().take(ADOPTED_SHOWN_MAX).map(row).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new()];
    lines.extend(table(&["ADOPTED", "CLASS", "UNTIL", "OWNER"], &rows));
    if ADOPTED_SHOWN_MAX < all.len() {
        lines.push(format!("and {} more", all.len() - ADOPTED_SHOWN_MAX));
    }
    lines.push(String::new());
    lines
}

/// How many adopted clients are shown to people.
const ADOPTED_SHOWN_MAX: usize = 50;

/// How long ago it was rehearsed, and how fast that was; where it did not meet its targets, that.
fn last_drill(drill: &Value, now_ms: i64) -> String {
    let at = text(drill, "at");
    if at.is_empty() {
        return "never".to_owned();
    }
    let time = match text(drill, "outcome") {
        "met" => seconds(number(drill, "slowest_ms")),
        other => other.to_owned(),
    };
    format!("{}  {time}", since(at, now_ms))
}

/// One integration, with everything that is known of it.
pub(crate) fn one(answer: &Value) -> Vec<String> {
    let (name, state) = (text(answer, "slug"), text(answer, "state"));
    let mut lines = vec![format!("{name}  {} {state}", mark(state)), String::new()];
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            lines.extend(beside(&format!("  {name:<13}"), text));
        }
    };
    row("because", &joined(answer, "reasons"));
    row("id", text(answer, "id"));
    row("profile", &format!("{}, tier {}", text(answer, "profile"), text(answer, "tier")));
    row("manifest", text(answer, "manifest"));
    row("submitted", &moment(text(answer, "submitted")));
    row("admits until", &moment(text(answer, "admits_until")));
    if let Some(certificate) = answer["certificate"].as_str() {
        let index = number(answer, "log_index");
        let ends = moment(text(answer, "ends"));
        row("certificate", &format!("{certificate}, until {ends}, log entry {index}"));
    }
    let assessment = &answer["assessment"];
    if let Some(id) = assessment["id"].as_str() {
        let summary = &assessment["summary"];
        let (pass, total) = (number(summary, "pass"), number(summary, "total"));
        let at = moment(text(assessment, "finished"));
        row("assessment", &format!("{id}, {pass} of {total} controls pass, {at}"));
        row("in the way", &joined(assessment, "blocking"));
    }
    for it in list(answer, "decisions") {
        let (verb, person) = (text(it, "verb"), text(it, "person"));
        row("decided", &format!("{verb} by {person}, {}", moment(text(it, "at"))));
    }
    for it in list(answer, "waivers") {
        let (control, id) = (text(it, "control"), text(it, "id"));
        row("waiver", &format!("{id} of {control} until {}", moment(text(it, "until"))));
    }
    for it in list(answer, "drifts") {
        let (place, before, after) = (text(it, "place"), text(it, "before"), text(it, "after"));
        row("drift", &format!("{place}: {before} -> {after}"));
        row("", &author(it));
    }
    for it in sweeps::drills(list(answer, "sweeps")) {
        row("offboarded", &it);
    }
    let drill = &answer["drill"];
    if let Some(id) = drill["drill"].as_str() {
        let (outcome, slowest) = (text(drill, "outcome"), seconds(number(drill, "slowest_ms")));
        row("last drill", &format!("{id}, {outcome}, {slowest}, {}", moment(text(drill, "at"))));
    }
    row("reopened by", &joined(answer, "triggers"));
    let withdrawal = &answer["withdrawal"];
    if withdrawal.is_object() && withdrawal["ended"] != true {
        let id = text(withdrawal, "revocation");
        row("withdrawn", &format!("{}, {id}", text(withdrawal, "kind")));
        lines.push(String::new());
        lines.extend(withdraw::receipt(withdrawal));
    }
    lines.push(String::new());
    lines.push(format!("next: {}", next(name, state, withdrawal)));
    lines
}

/// Who made a difference and when, where the platform tells: `by dana, 24 Nov 2026 10:00:00`.
pub(super) fn author(drift: &Value) -> String {
    let (by, at) = (text(drift, "by"), text(drift, "at"));
    if by.is_empty() { String::new() } else { format!("by {by}, {}", moment(at)) }
}

fn next(name: &str, state: &str, withdrawal: &Value) -> String {
    match state {
        "submitted" | "checking" | "observing" | "due" => format!("countersign check {name}"),
        "in-review" => format!("countersign review {name}"),
        "lapsed" | "revoked" => "countersign submit MANIFEST".to_owned(),
        "suspended" => format!("countersign resume {}", text(withdrawal, "revocation")),
        _ => format!("countersign diff {name}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_row_says_what_it_waits_for() {
        let rows = json!([
            { "slug": "acme", "state": "certified", "tier": "elevated", "reasons": [], "admits_until": "2000-01-01T00:00:00Z", "drill": null },
            { "slug": "payrun-hr", "state": "in-review", "tier": "critical", "reasons": ["nobody-decided"] },
        ]);
        let population = json!({ "found": 3, "known": 2, "unexplained": 1 });
        assert_eq!(all(&rows, &Value::Null).last().map(String::as_str), Some("2 shown"));
        insta::assert_snapshot!(all(&rows, &population).join("\n"), @r"
        INTEGRATION  STATE        ADMITS FOR  TIER      LAST DRILL  NEEDS                 BECAUSE
        acme         ● certified  over        elevated  never       -                     -
        payrun-hr    ○ in-review  -           critical  never       two people to decide  nobody-decided
        2 shown   3 at the platform, 2 known here, 1 unexplained
        ");
        let population = json!({
            "found": 4, "known": 2, "unexplained": 1,
            "adopted": [
                { "client_id": "a-sync", "class": "grandfathered", "owner": "lena", "until": "2999-01-01T00:00:00Z" },
                { "client_id": "b-sync", "class": "overdue", "owner": "max", "until": "2000-01-01T00:00:00Z" },
            ],
        });
        let now = "2998-12-02T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
        insta::assert_snapshot!(adopted(&population, now).join("\n"), @r"

        ADOPTED  CLASS          UNTIL             OWNER
        b-sync   overdue        over: CTS-GOV-02  max
        a-sync   grandfathered  30 d              lena
        ");
    }
}
