//! `suspend`, `resume`, `revoke`: trust is withdrawn, and what is proven is said apart from what was asked.

use serde_json::{Value, json};

use super::{Context, list, number, text};
use crate::args::{RevokeArgs, SuspendArgs};
use crate::exit::Exit;
use crate::failure::Outcome;

/// Denies for a time.
pub(crate) async fn suspend(context: Context<'_>, args: &SuspendArgs) -> Outcome {
    let body = json!({
        "integration": args.target, "kind": "suspend", "for": args.period, "reason": args.reason,
    });
    let answer = context.client()?.post("/v1/revocations", &body).await?;
    Ok(report(context, &answer))
}

/// Denies for good.
pub(crate) async fn revoke(context: Context<'_>, args: &RevokeArgs) -> Outcome {
    let client = context.client()?;
    let answer = if let Some(id) = &args.retry {
        client.post(&format!("/v1/revocations/{id}/retry"), &json!({})).await?
    } else {
        let body = json!({
            "integration": args.target, "kind": "revoke", "reason": args.reason,
            "ticket": args.ticket,
        });
        client.post("/v1/revocations", &body).await?
    };
    Ok(report(context, &answer))
}

/// Agrees to end a suspension.
pub(crate) async fn resume(context: Context<'_>, id: &str) -> Outcome {
    let path = format!("/v1/revocations/{id}/resume");
    let answer = context.client()?.post(&path, &json!({})).await?;
    context.show(&answer, |it| {
        vec![format!("{} of {} people agree", number(it, "people"), number(it, "needed"))]
    });
    let done = number(&answer, "needed") <= number(&answer, "people");
    Ok(if done { Exit::Yes } else { Exit::Pending })
}

/// Shows the receipt; exit 0 only when every path is proven.
fn report(context: Context<'_>, answer: &Value) -> Exit {
    context.show(answer, lines);
    if number(answer, "proven") == number(answer, "total") { Exit::Yes } else { Exit::Pending }
}

/// A row for each path.
fn lines(answer: &Value) -> Vec<String> {
    let (proven, total) = (number(answer, "proven"), number(answer, "total"));
    let mut lines = vec![format!("{:<34}{:<14}{:>8}  {}", "PATH", "STATE", "MS", "BY")];
    for row in list(answer, "paths") {
        let mark = if text(row, "state") == "proven" { "✔" } else { "▲" };
        let path = format!("{mark} {} {}", text(row, "path"), text(row, "subject"));
        let (state, ms, by) = (text(row, "state"), number(row, "ms"), text(row, "by"));
        lines.push(format!("{path:<34}{state:<14}{ms:>8}  {by}"));
    }
    lines.push(format!("{proven} of {total} paths proven"));
    let id = text(answer, "revocation");
    if proven < total {
        lines.push(format!("{} NOT PROVEN   now: countersign revoke --retry {id}", total - proven));
    }
    if text(answer, "kind") == "suspend" {
        lines.push(format!("undo: countersign resume {id} (two people)"));
    } else {
        lines.push("undo: not possible; the way back is a new certification".to_owned());
    }
    lines
}
