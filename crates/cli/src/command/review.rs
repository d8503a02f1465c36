//! `review`: the queue, a packet, a decision.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_seal::SigningKey;
use countersign_seal::dsse::pae;
use serde_json::{Value, json};

use super::{Context, diff, key, number, text};
use crate::args::ReviewArgs;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Shows the queue or a packet, or decides.
pub(crate) async fn run(context: Context<'_>, args: &ReviewArgs) -> Outcome {
    let client = context.client()?;
    let Some(target) = &args.target else {
        let queue = client.get("/v1/reviews").await?;
        context.show(&queue, |it| {
            let rows = it.as_array().cloned().unwrap_or_default();
            let row = |it: &Value| format!("{:<28}{}", text(it, "slug"), text(it, "waits_for"));
            let mut lines: Vec<String> = rows.iter().map(row).collect();
            lines.push(format!("{} to decide", rows.len()));
            lines
        });
        return Ok(Exit::Yes);
    };
    let packet = packet(&client, target, &args.without).await?;
    let Some(verb) = &args.decide else {
        context.show(&packet, |it| {
            let mut lines = vec![format!("{target}  assessment {}", text(it, "assessment"))];
            lines.extend(it.get("diff").map(diff::lines).unwrap_or_default());
            lines.push(format!(
                "decide: countersign review {target} --decide approve -r \"…\" --key FILE"
            ));
            lines
        });
        return Ok(Exit::Yes);
    };
    let signer = match (&args.key, verb.as_str()) {
        (Some(path), _) => Some(key::open(context, path, args.passphrase_file.as_deref())?),
        (None, "approve" | "right-size") => {
            return Err(Failure::new(Exit::Usage, format!("`{verb}` needs your signature"))
                .help("--key FILE"));
        }
        (None, _) => None,
    };
    let reason = args.reason.as_deref().unwrap_or_default();
    let answer =
        decide(&client, target, &packet, verb, reason, &args.without, signer.as_ref()).await?;
    context.show(&answer, |it| {
        vec![format!(
            "decided  {}  {verb}  {} of {} people",
            text(it, "decision"),
            number(it, "people"),
            number(it, "needed")
        )]
    });
    let complete = number(&answer, "needed") <= number(&answer, "people");
    Ok(if complete { Exit::Yes } else { Exit::Pending })
}

/// Fetches what would be decided.
pub(crate) async fn packet(
    client: &Client,
    target: &str,
    without: &[String],
) -> Result<Value, Failure> {
    let query =
        if without.is_empty() { String::new() } else { format!("?without={}", without.join(",")) };
    client.get(&format!("/v1/reviews/{target}{query}")).await
}

/// Signs exactly the bytes of the packet, and sends the decision.
#[expect(clippy::too_many_arguments, reason = "a decision is made of these")]
pub(crate) async fn decide(
    client: &Client,
    target: &str,
    packet: &Value,
    verb: &str,
    reason: &str,
    without: &[String],
    signer: Option<&SigningKey>,
) -> Result<Value, Failure> {
    let broken = || Failure::new(Exit::Broken, "the packet holds no readable statement");
    let payload = STANDARD.decode(text(packet, "payload")).map_err(|_| broken())?;
    let signature = signer.map(|it| {
        let signature = it.sign(&pae(text(packet, "payload_type"), &payload));
        json!({ "keyid": it.key_id().as_str(), "sig": STANDARD.encode(signature) })
    });
    let body = json!({
        "verb": verb,
        "reason": reason,
        "seen_diff_digest": text(packet, "seen_diff_digest"),
        "without": without,
        "signature": signature,
    });
    client.post(&format!("/v1/reviews/{target}/decision"), &body).await
}
