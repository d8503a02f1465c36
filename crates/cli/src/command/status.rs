//! `status`: state, reasons and dates.

use serde_json::Value;

use super::{Context, joined, text};
use crate::exit::Exit;
use crate::failure::Outcome;

/// Shows one integration, or all.
pub(crate) async fn run(context: Context<'_>, target: Option<&str>) -> Outcome {
    let client = context.client()?;
    let answer = match target {
        Some(name) => client.get(&format!("/v1/integrations/{name}")).await?,
        None => client.get("/v1/integrations").await?,
    };
    context.show(&answer, table);
    Ok(Exit::Yes)
}

fn table(answer: &Value) -> Vec<String> {
    let one = std::slice::from_ref(answer);
    let rows = answer.as_array().map_or(one, Vec::as_slice);
    let mut lines =
        vec![format!("{:<28}{:<14}{:<26}{}", "INTEGRATION", "STATE", "ADMITS UNTIL", "BECAUSE")];
    for row in rows {
        let until = text(row, "admits_until");
        lines.push(format!(
            "{:<28}{:<14}{:<26}{}",
            text(row, "slug"),
            text(row, "state"),
            if until.is_empty() { "-" } else { until },
            joined(row, "reasons")
        ));
    }
    lines.push(format!("{} shown", rows.len()));
    lines
}
