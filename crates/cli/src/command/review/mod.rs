//! `review`: the queue, a packet, a decision.

mod packet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_seal::SigningKey;
use countersign_seal::dsse::pae;
use serde_json::{Value, json};

use super::{Context, key, number, text, withdraw};
use crate::args::ReviewArgs;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::table;
pub(crate) use packet::{Packet, fetch};

/// Shows the queue or a packet, or decides.
pub(crate) async fn run(context: Context<'_>, args: &ReviewArgs) -> Outcome {
    let client = context.client()?;
    let Some(target) = &args.target else {
        let queue = client.get("/v1/reviews").await?;
        context.show(&queue, queue_lines);
        return Ok(Exit::Yes);
    };
    if target.starts_with("rev_") {
        return destroying(context, target, args).await;
    }
    let packet = fetch(&client, target, &args.without).await?;
    let Some(verb) = &args.decide else {
        context.show(&packet.document, |_| packet.lines(target));
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
    let decided = Deciding { target, verb, reason, without: &args.without };
    let answer = decide(&client, &packet, decided, signer.as_ref()).await?;
    let (people, needed) = (number(&answer, "people"), number(&answer, "needed"));
    let grants = matches!(verb.as_str(), "approve" | "right-size");
    context.show(&answer, |it| {
        let mut lines =
            vec![format!("decided  {}  {verb}  {people} of {needed} people", text(it, "decision"))];
        if !grants {
            lines.push(format!("{target} is not certified as it is"));
        } else if people < needed {
            lines.push(format!("waits for another person: countersign review {target}"));
        } else {
            lines.push(format!("next: countersign certify {target} --plan"));
        }
        lines.push(format!("undo: countersign review {target} --decide disable -r WHY"));
        lines
    });
    Ok(if !grants || needed <= people { Exit::Yes } else { Exit::Pending })
}

/// The second thing that takes two people: deleting credentials of what was revoked.
async fn destroying(context: Context<'_>, id: &str, args: &ReviewArgs) -> Outcome {
    match args.decide.as_deref() {
        Some("approve") => withdraw::destroy(context, id).await,
        Some(other) => {
            Err(Failure::new(Exit::Usage, format!("a revocation cannot be decided `{other}`"))
                .help("approve lets its credentials be destroyed; leave it to keep them"))
        }
        None => {
            let answer = context.client()?.get(&format!("/v1/revocations/{id}")).await?;
            context.show(&answer, |it| {
                let mut lines = vec![format!("{id}  {}", text(it, "kind")), String::new()];
                lines.extend(withdraw::receipt(it));
                lines.push(String::new());
                lines.push(
                    "if two people agree, its clients, keys and subscriptions are deleted"
                        .to_owned(),
                );
                lines.push(format!("decide: countersign review {id} --decide approve -r WHY"));
                lines
            });
            Ok(Exit::Yes)
        }
    }
}

fn queue_lines(queue: &Value) -> Vec<String> {
    let all = queue.as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|it| {
            let people = format!("{} of {}", number(it, "people"), number(it, "needed"));
            let cell = |name: &str| text(it, name).to_owned();
            vec![cell("slug"), cell("state"), people, cell("waits_for")]
        })
        .collect();
    if rows.is_empty() {
        return vec!["nothing waits for a decision".to_owned()];
    }
    let mut lines = table(&["INTEGRATION", "STATE", "PEOPLE", "WAITS FOR"], &rows);
    lines.push(format!("{} to decide   countersign review NAME", rows.len()));
    lines
}

/// What is decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deciding<'a> {
    /// The integration.
    pub(crate) target: &'a str,
    /// The word.
    pub(crate) verb: &'a str,
    /// Why.
    pub(crate) reason: &'a str,
    /// Scopes that are not granted.
    pub(crate) without: &'a [String],
}

/// Signs exactly the bytes of the packet, and sends the decision.
pub(crate) async fn decide(
    client: &Client,
    packet: &Packet,
    decided: Deciding<'_>,
    signer: Option<&SigningKey>,
) -> Result<Value, Failure> {
    let signature = signer.map(|it| {
        let signature = it.sign(&pae(text(&packet.document, "payload_type"), &packet.payload));
        json!({ "keyid": it.key_id().as_str(), "sig": STANDARD.encode(signature) })
    });
    let body = json!({
        "verb": decided.verb,
        "reason": decided.reason,
        "seen_diff_digest": packet.decision.seen_diff,
        "without": decided.without,
        "signature": signature,
    });
    client.post(&format!("/v1/reviews/{}/decision", decided.target), &body).await
}
