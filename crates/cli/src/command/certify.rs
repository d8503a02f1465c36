//! `certify`: shows what would be signed, then signs it.

use serde_json::{Value, json};

use super::{Context, list, number, text};
use crate::args::CertifyArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::{beside, moment, seconds};

/// Plans or applies.
pub(crate) async fn run(context: Context<'_>, args: &CertifyArgs) -> Outcome {
    let client = context.client()?;
    if let Some(plan) = &args.apply {
        let body = json!({ "plan": plan, "digest": args.digest });
        context.ui.working("signing, and waiting for the gates");
        let answer = client.post("/v1/certifications/apply", &body).await?;
        context.show(&answer, applied);
        let everywhere = number(&answer, "active_at") == number(&answer, "gates");
        return Ok(if everywhere { Exit::Yes } else { Exit::Pending });
    }
    let target = args.target.as_deref().ok_or_else(|| {
        Failure::new(Exit::Usage, "name an integration").help("countersign certify NAME --plan")
    })?;
    let answer = client.post("/v1/certifications/plan", &json!({ "integration": target })).await?;
    context.show(&answer, planned);
    Ok(Exit::Yes)
}

fn planned(answer: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, line) in list(answer, "text").iter().filter_map(Value::as_str).enumerate() {
        let lead = if index == 0 { "" } else { "  " };
        lines.extend(beside(lead, line));
    }
    let (plan, digest) = (text(answer, "plan"), text(answer, "digest"));
    lines.push(String::new());
    lines.push(format!("plan {plan} is good until {}", moment(text(answer, "until"))));
    lines.push(format!("next: countersign certify --apply {plan} \\"));
    lines.push(format!("        --digest {digest}"));
    lines.push("undo: nothing is signed yet".to_owned());
    lines
}

fn applied(answer: &Value) -> Vec<String> {
    let (active, gates) = (number(answer, "active_at"), number(answer, "gates"));
    let mut lines = vec![format!(
        "certified  {}  log entry {}  active at {active} of {gates} gates after {}",
        text(answer, "certificate"),
        number(answer, "log_index"),
        seconds(number(answer, "ms"))
    )];
    if active < gates {
        let text = "the others follow when they hear the server: countersign doctor";
        lines.extend(beside("  ▲ ", text));
    }
    lines.push("undo: countersign suspend NAME --for 4h -r WHY".to_owned());
    lines
}
