//! `certify`: shows what would be signed, then signs it.

use serde_json::json;

use super::{Context, list, number, text};
use crate::args::CertifyArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Plans or applies.
pub(crate) async fn run(context: Context<'_>, args: &CertifyArgs) -> Outcome {
    let client = context.client()?;
    if let Some(plan) = &args.apply {
        let body = json!({ "plan": plan, "digest": args.digest });
        let answer = client.post("/v1/certifications/apply", &body).await?;
        context.show(&answer, |it| {
            vec![format!(
                "certified  {}  log entry {}  active at {} of {} gates after {} ms",
                text(it, "certificate"),
                number(it, "log_index"),
                number(it, "active_at"),
                number(it, "gates"),
                number(it, "ms")
            )]
        });
        let everywhere = number(&answer, "active_at") == number(&answer, "gates");
        return Ok(if everywhere { Exit::Yes } else { Exit::Pending });
    }
    let target = args.target.as_deref().ok_or_else(|| {
        Failure::new(Exit::Usage, "name an integration").help("countersign certify NAME --plan")
    })?;
    let answer = client.post("/v1/certifications/plan", &json!({ "integration": target })).await?;
    context.show(&answer, |it| {
        let mut lines: Vec<String> =
            list(it, "text").iter().filter_map(|it| it.as_str()).map(str::to_owned).collect();
        lines.push(format!("plan {} is good until {}", text(it, "plan"), text(it, "until")));
        lines.push(format!(
            "countersign certify --apply {} --digest {}",
            text(it, "plan"),
            text(it, "digest")
        ));
        lines
    });
    Ok(Exit::Yes)
}
