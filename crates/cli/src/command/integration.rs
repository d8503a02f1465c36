//! `integration`: what is known of one beside its certification.

use serde_json::Value;

use super::{Context, import, list, status, text};
use crate::args::{IntegrationVerb, StatusArgs};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::page::{beside, moment};

/// Runs one of them.
pub(crate) async fn run(context: Context<'_>, verb: &IntegrationVerb) -> Outcome {
    let args = match verb {
        IntegrationVerb::Proof(args) => args,
        IntegrationVerb::List => return status::run(context, &StatusArgs::default()).await,
        IntegrationVerb::Show(args) => {
            let target = Some(args.target.clone());
            return status::run(context, &StatusArgs { target, ..StatusArgs::default() }).await;
        }
        IntegrationVerb::Import(args) => return import::run(context, args).await,
    };
    let path = format!("/v1/integrations/{}/proof", args.target);
    let answer = context.client()?.get(&path).await?;
    context.show(&answer, proof);
    Ok(Exit::Yes)
}

/// What a partner publishes where.
fn proof(answer: &Value) -> Vec<String> {
    let name = text(answer, "integration");
    let challenges = list(answer, "challenges");
    if challenges.is_empty() {
        let why = if answer["method"].is_null() {
            "its manifest has no [rules_of_engagement], so nothing hostile is sent anywhere"
        } else {
            "its manifest names no host of the partner"
        };
        return vec![format!("{name}  nothing to prove: {why}")];
    }
    let is_record = answer["method"] == "dns";
    let (kind, publish) = if is_record { ("a TXT record", "record") } else { ("a file", "file") };
    let mut lines = vec![
        format!("{name}  control of each host is proved by {kind} that holds its line"),
        String::new(),
    ];
    for it in challenges {
        lines.extend(beside(&format!("  {publish:<8}"), text(it, "place")));
        lines.extend(beside("  line    ", text(it, "text")));
        lines.push(String::new());
    }
    if !is_record && 1 < challenges.len() {
        lines.push("  one file with all lines will do for every host".to_owned());
    }
    let until = challenges.first().map_or("", |it| text(it, "until"));
    lines.push(format!("  good until {}; each run looks again", moment(until)));
    lines.push(format!("next: publish, then   countersign check {name}"));
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_says_what_to_publish_where() {
        let challenge = |host: &str| {
            json!({
                "host": host, "place": format!("https://{host}/.well-known/countersign/acme"),
                "text": "countersign-proof=2026-11-24.00ff", "until": "soon",
            })
        };
        let answer = json!({
            "integration": "acme", "method": "well-known",
            "challenges": [challenge("acme.example"), challenge("events.acme.example")],
        });
        insta::assert_snapshot!(proof(&answer).join("\n"), @r"
        acme  control of each host is proved by a file that holds its line

          file    https://acme.example/.well-known/countersign/acme
          line    countersign-proof=2026-11-24.00ff

          file    https://events.acme.example/.well-known/countersign/acme
          line    countersign-proof=2026-11-24.00ff

          one file with all lines will do for every host
          good until soon; each run looks again
        next: publish, then   countersign check acme
        ");
        let none = json!({ "integration": "acme", "method": null, "challenges": [] });
        assert!(proof(&none)[0].contains("no [rules_of_engagement]"));
    }
}
