//! `waiver`: asked for by one person, granted by another, with an end.

use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};

use super::{Context, text};
use crate::args::WaiverVerb;
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::{moment, table};

/// Runs one of them.
pub(crate) async fn run(context: Context<'_>, verb: &WaiverVerb) -> Outcome {
    let client = context.client()?;
    match verb {
        WaiverVerb::Request { target, control, until, reason } => {
            let until = end(until, clock::now())?;
            let body = json!({
                "integration": target, "control": control, "until": until, "reason": reason,
            });
            let answer = client.post("/v1/waivers", &body).await?;
            context.show(&answer, |it| {
                let id = text(it, "id");
                vec![
                    format!("asked for  {id}  {control} until {}", moment(text(it, "until"))),
                    format!("waits for another person: countersign waiver grant {id}"),
                    format!("undo: countersign waiver end {id}"),
                ]
            });
            Ok(Exit::Pending)
        }
        WaiverVerb::Grant { waiver } => {
            let answer = client.post(&format!("/v1/waivers/{waiver}/grant"), &json!({})).await?;
            context.show(&answer, |it| {
                vec![
                    format!("granted  {waiver}  until {}", moment(text(it, "until"))),
                    "it counts in the next run: countersign check NAME".to_owned(),
                    format!("undo: countersign waiver end {waiver}"),
                ]
            });
            Ok(Exit::Yes)
        }
        WaiverVerb::End { waiver } => {
            let answer = client.post(&format!("/v1/waivers/{waiver}/end"), &json!({})).await?;
            context.show(&answer, |_| {
                vec![
                    format!("ended  {waiver}"),
                    "undo: not possible; ask for another: countersign waiver request".to_owned(),
                ]
            });
            Ok(Exit::Yes)
        }
        WaiverVerb::List => {
            let answer = client.get("/v1/waivers").await?;
            context.show(&answer, |it| rows(it, clock::now()));
            Ok(Exit::Yes)
        }
    }
}

/// When it ends: a period from now, a day, or a moment.
fn end(text: &str, now: Timestamp) -> Result<String, Failure> {
    if let Ok(period) = text.parse::<Period>() {
        return Ok((now + period).to_string());
    }
    let moment = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let parsed: Result<jiff::Timestamp, _> = moment.parse();
    parsed.map(|it| Timestamp::from_millis(it.as_millisecond()).to_string()).map_err(|_| {
        Failure::new(Exit::Usage, format!("`{text}` is no date"))
            .help("2027-01-31, 2027-01-31T12:00:00Z, or a period from now: 30d")
    })
}

fn rows(answer: &Value, now: Timestamp) -> Vec<String> {
    let all = answer.as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|it| {
            let waiver = &it["waiver"];
            let over = text(waiver, "until").parse::<jiff::Timestamp>();
            let over = over.is_ok_and(|it| it.as_millisecond() <= now.millis());
            let state = match (waiver["ended"].is_string(), waiver["granter"].is_string(), over) {
                (true, _, _) => "ended",
                (_, _, true) => "over",
                (_, true, _) => "granted",
                _ => "asked for",
            };
            vec![
                text(waiver, "id").to_owned(),
                text(it, "integration").to_owned(),
                text(waiver, "control").to_owned(),
                state.to_owned(),
                moment(text(waiver, "until")),
            ]
        })
        .collect();
    let mut lines = table(&["WAIVER", "INTEGRATION", "CONTROL", "STATE", "UNTIL"], &rows);
    lines.push(format!("{} shown", rows.len()));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_day_a_moment_or_a_period() {
        let now = Timestamp::from_seconds(1_795_000_000);
        let table = [
            ("2027-01-31", Some("2027-01-31T00:00:00")),
            ("2027-01-31T12:00:00Z", Some("2027-01-31T12:00:00")),
            ("30d", Some("2026-12-18T")),
            ("soon", None),
            ("2027-13-01", None),
        ];
        for (text, expected) in table {
            match (end(text, now), expected) {
                (Ok(it), Some(expected)) => assert!(it.starts_with(expected), "{text}: {it}"),
                (Err(failure), None) => assert_eq!(failure.exit, Exit::Usage, "{text}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }
}
