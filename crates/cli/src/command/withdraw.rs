//! `suspend`, `resume`, `revoke`: trust is withdrawn, and what is proven is said apart from what was asked.

use serde_json::{Value, json};

use super::{Context, list, number, text};
use crate::args::{RevokeArgs, SuspendArgs};
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::{beside, moment, seconds, table};

/// Denies for a time.
pub(crate) async fn suspend(context: Context<'_>, args: &SuspendArgs) -> Outcome {
    let body = json!({
        "integration": args.target, "kind": "suspend", "for": args.period, "reason": args.reason,
        "ticket": args.ticket,
    });
    let client = context.client()?;
    context.ui.working(&format!("suspending {}", args.target));
    let answer = client.post("/v1/revocations", &body).await?;
    Ok(report(context, &args.target, &answer))
}

/// Denies for good: one partner after the other, and the first failure does not keep the next from being cut.
pub(crate) async fn revoke(context: Context<'_>, args: &RevokeArgs) -> Outcome {
    let client = context.client()?;
    if let Some(named) = &args.retry {
        return retry(context, &client, named, &args.targets).await;
    }
    let mut exit = Exit::Yes;
    let mut failed = None;
    for target in &args.targets {
        let body = json!({
            "integration": target, "kind": "revoke", "reason": args.reason, "ticket": args.ticket,
        });
        context.ui.working(&format!("revoking {target}"));
        match client.post("/v1/revocations", &body).await {
            Ok(answer) => exit = exit.max(report(context, target, &answer)),
            Err(failure) if args.targets.len() == 1 => return Err(failure),
            Err(failure) => {
                context.ui.failure(&failure);
                failed = Some(Failure::new(failure.exit, format!("`{target}` is not revoked")));
            }
        }
    }
    failed.map_or(Ok(exit), Err)
}

/// Asks and proves again what is not proven; each of them is tried, whatever the others come to.
async fn retry(context: Context<'_>, client: &Client, named: &str, targets: &[String]) -> Outcome {
    let named = Some(named.to_owned()).filter(|it| !it.is_empty());
    let mut exit = Exit::Yes;
    let mut failed = None;
    for target in targets.iter().cloned().chain(named) {
        context.ui.working(&format!("proving {target} again"));
        let again = async {
            let id = withdrawal_of(client, &target).await?;
            client.post(&format!("/v1/revocations/{id}/retry"), &json!({})).await
        };
        match again.await {
            Ok(answer) => exit = exit.max(report(context, &target, &answer)),
            Err(failure) => {
                if failed.is_some() {
                    context.ui.failure(&failure);
                }
                failed = failed.or(Some(failure));
            }
        }
    }
    failed.map_or(Ok(exit), Err)
}

/// Agrees to end a suspension: by its id, or by the integration that it is about.
pub(crate) async fn resume(context: Context<'_>, target: &str) -> Outcome {
    let client = context.client()?;
    let id = withdrawal_of(&client, target).await?;
    let answer = client.post(&format!("/v1/revocations/{id}/resume"), &json!({})).await?;
    let (people, needed) = (number(&answer, "people"), number(&answer, "needed"));
    context.show(&answer, |it| {
        let mut lines = vec![format!("{people} of {needed} people agree to end {id}")];
        if it["ended"] == true {
            lines.push("it stands as before: countersign status says how".to_owned());
            lines.push("undo: countersign suspend NAME --for 4h -r WHY".to_owned());
        } else {
            lines.push(format!("waits for another person: countersign resume {id}"));
            lines.push("undo: not possible; agreeing alone admits nobody".to_owned());
        }
        lines
    });
    Ok(if needed <= people { Exit::Yes } else { Exit::Pending })
}

/// The id of a withdrawal, of its own or of its integration's name.
async fn withdrawal_of(client: &Client, target: &str) -> Result<String, Failure> {
    if target.starts_with("rev_") {
        return Ok(target.to_owned());
    }
    let one = client.get(&format!("/v1/integrations/{target}")).await?;
    let id = text(&one["withdrawal"], "revocation");
    if id.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("`{target}` is not withdrawn")));
    }
    Ok(id.to_owned())
}

/// One of two people has credentials deleted.
pub(crate) async fn destroy(context: Context<'_>, id: &str) -> Outcome {
    let client = context.client()?;
    let answer = client.post(&format!("/v1/revocations/{id}/destroy"), &json!({})).await?;
    let (people, needed) = (number(&answer, "people"), number(&answer, "needed"));
    context.show(&answer, |it| {
        let mut lines = vec![format!("{people} of {needed} people agree to destroy credentials")];
        if needed <= people {
            lines.push(format!("destroyed {} at the platform", number(it, "destroyed")));
            lines.push("undo: not possible; the way back is a new registration".to_owned());
        } else {
            lines.push(format!(
                "waits for another person: countersign review {id} --decide approve -r WHY"
            ));
            lines.push("undo: not possible; agreeing alone destroys nothing".to_owned());
        }
        lines
    });
    Ok(if needed <= people { Exit::Yes } else { Exit::Pending })
}

/// Shows the receipt; exit 0 only when every path is proven.
fn report(context: Context<'_>, target: &str, answer: &Value) -> Exit {
    context.show(answer, |it| {
        let mut lines = head(target, it);
        lines.extend(receipt(it));
        lines.extend(after(target, it));
        lines
    });
    let (proven, total) = (number(answer, "proven"), number(answer, "total"));
    // No path at all is nothing that could be proven.
    if 0 < total && proven == total { Exit::Yes } else { Exit::Pending }
}

fn head(target: &str, answer: &Value) -> Vec<String> {
    let word = if text(answer, "kind") == "suspend" { "SUSPENDED" } else { "REVOKED" };
    let until = match text(answer, "until") {
        "" => String::new(),
        until => format!(" until {}", moment(until)),
    };
    let id = text(answer, "revocation");
    let at = if until.is_empty() { format!("   {}", moment(text(answer, "at"))) } else { until };
    vec![format!("{target} → {word}{at}   {id}"), String::new()]
}

/// A row for each path, and how many are proven.
pub(crate) fn receipt(answer: &Value) -> Vec<String> {
    let rows: Vec<Vec<String>> = list(answer, "paths")
        .iter()
        .map(|row| {
            let state = text(row, "state");
            let mark = if state == "proven" { "✔" } else { "▲" };
            let time = if state == "asked" { "-".to_owned() } else { seconds(number(row, "ms")) };
            let by = if state == "proven" {
                text(row, "by").to_owned()
            } else {
                format!("NOT PROVEN  {}", text(row, "by")).trim_end().to_owned()
            };
            vec![
                format!("{mark} {}", text(row, "path")),
                text(row, "subject").to_owned(),
                state.to_owned(),
                time,
                by,
            ]
        })
        .collect();
    let mut lines = table(&["  PATH", "SUBJECT", "STATE", "AFTER", "BY"], &rows);
    let (proven, total) = (number(answer, "proven"), number(answer, "total"));
    let slowest = list(answer, "paths").iter().filter(|it| text(it, "state") == "proven");
    let slowest = slowest.map(|it| number(it, "ms")).max();
    let time = slowest.map(|it| format!(" in {}", seconds(it))).unwrap_or_default();
    let open = total.saturating_sub(proven);
    let open = match open {
        0 => String::new(),
        1 => "   1 path is NOT proven".to_owned(),
        many => format!("   {many} paths are NOT proven"),
    };
    lines.push(String::new());
    lines.push(format!("  {proven} of {total} paths proven{time}{open}"));
    let gates = list(answer, "gates");
    let acked = gates.iter().filter(|it| it["acked"] == true).count();
    if !gates.is_empty() {
        lines.push(format!("  {acked} of {} gates answer from it", gates.len()));
        for gate in gates.iter().filter(|it| it["acked"] != true) {
            let text = format!("{} did not answer; its lease ends its trust", text(gate, "gate"));
            lines.extend(beside("  ▲ ", &text));
        }
    }
    lines
}

fn after(target: &str, answer: &Value) -> Vec<String> {
    let id = text(answer, "revocation");
    let mut lines = Vec::new();
    if number(answer, "proven") < number(answer, "total") {
        lines.push(format!("  now    countersign revoke --retry {id}"));
    }
    if text(answer, "kind") == "suspend" {
        lines.push(format!("  undo   countersign resume {id}   (two people)"));
        return lines;
    }
    if answer["destroyed"] != true {
        lines.push(format!("  later  destroying takes two people: countersign review {id}"));
    }
    lines.push(format!("  undo   not possible; the way back is a new certification of {target}"));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_proven_is_named() {
        let answer = json!({
            "revocation": "rev_1", "kind": "revoke", "at": "now", "proven": 1, "total": 2, "destroyed": false,
            "paths": [
                { "path": "token-mint", "subject": "oauth:acme", "state": "proven", "ms": 90, "by": "probe -> invalid_client" },
                { "path": "call-in", "subject": "cb:oauth", "state": "asked", "ms": 0, "by": "" },
            ],
            "gates": [{ "gate": "front", "acked": false, "ms": null }],
        });
        let mut lines = head("acme", &answer);
        lines.extend(receipt(&answer));
        lines.extend(after("acme", &answer));
        insta::assert_snapshot!(lines.join("\n"), @r"
        acme → REVOKED   now   rev_1

          PATH        SUBJECT     STATE   AFTER   BY
        ✔ token-mint  oauth:acme  proven  0.09 s  probe -> invalid_client
        ▲ call-in     cb:oauth    asked   -       NOT PROVEN

          1 of 2 paths proven in 0.09 s   1 path is NOT proven
          0 of 1 gates answer from it
          ▲ front did not answer; its lease ends its trust
          now    countersign revoke --retry rev_1
          later  destroying takes two people: countersign review rev_1
          undo   not possible; the way back is a new certification of acme
        ");
    }
}
