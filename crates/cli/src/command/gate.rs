//! `gate`: which gates there are, how far they have come, and what one of them says.

use countersign_model::declare::path::PathKind;
use serde_json::{Value, json};

use super::{Context, number, text};
use crate::args::{DecideArgs, GateVerb};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::{beside, table};

/// Runs one of the verbs.
pub(crate) async fn run(context: Context<'_>, verb: &GateVerb) -> Outcome {
    match verb {
        GateVerb::List => {
            let gates = context.client()?.get("/v1/gates").await?;
            show(context, gates.as_array().map_or(&[], Vec::as_slice));
            Ok(Exit::Yes)
        }
        GateVerb::Status { gate } => status(context, gate.as_deref()).await,
        GateVerb::Decide(it) => decide(context, it).await,
    }
}

/// Yes when every gate answers from what is in force; pending while one does not.
async fn status(context: Context<'_>, name: Option<&str>) -> Outcome {
    let gates = context.client()?.get("/v1/gates").await?;
    let mine = |it: &&Value| name.is_none_or(|name| text(it, "gate") == name);
    let found: Vec<Value> = gates.as_array().into_iter().flatten().filter(mine).cloned().collect();
    if found.is_empty() {
        let what = name.map_or("the server knows no gate".to_owned(), |it| {
            format!("the server knows no gate `{it}`")
        });
        return Err(Failure::new(Exit::Usage, what));
    }
    show(context, &found);
    let all = found.iter().all(|it| it["current"] == true);
    Ok(if all { Exit::Yes } else { Exit::Pending })
}

fn show(context: Context<'_>, gates: &[Value]) {
    let document = json!({ "schema": "countersign.gates/1", "gates": gates });
    context.show(&document, |_| {
        let row = |it: &Value| {
            let epoch = it["epoch"].as_u64().map_or("never heard".to_owned(), |it| it.to_string());
            let current = if it["current"] == true { "✔ answers from it" } else { "▲ behind" };
            vec![
                text(it, "gate").to_owned(),
                text(it, "lane").to_owned(),
                epoch,
                current.to_owned(),
            ]
        };
        let rows: Vec<Vec<String>> = gates.iter().map(row).collect();
        table(&["GATE", "LANE", "EPOCH", "IN FORCE"], &rows)
    });
}

/// Asks a gate over AuthZEN; exit 0 for a yes, 3 for a no.
async fn decide(context: Context<'_>, asked: &DecideArgs) -> Outcome {
    let client = context.client_at(&asked.gate)?;
    let id = if let Some(id) = &asked.replay {
        id.to_string()
    } else {
        let answer = client.post("/access/v1/evaluation", &question(asked)?).await?;
        text(&answer["context"], "decision_id").to_owned()
    };
    let record = client.get(&format!("/access/v1/decisions/{id}")).await?;
    let replays = asked.replay.is_some();
    context.show(&record, |it| {
        let mut lines: Vec<String> =
            text(it, "explain").lines().flat_map(|it| beside("", it)).collect();
        if replays {
            let (again, epoch) = (&it["again"], number(&it["again"], "epoch"));
            let code = text(&again["reason"], "code");
            let then = text(&it["reason"], "code");
            let same = if code == then { "the same" } else { "ANOTHER ANSWER" };
            lines.push(format!("  again     {code} by epoch {epoch}: {same}"));
        }
        lines
    });
    let code = if replays {
        text(&record["again"]["reason"], "code")
    } else {
        text(&record["reason"], "code")
    };
    Ok(if code == "admitted" { Exit::Yes } else { Exit::No })
}

/// The call in the words of AuthZEN.
fn question(asked: &DecideArgs) -> Result<Value, Failure> {
    let usage = |text: &str| Failure::new(Exit::Usage, text);
    let client = asked.client.as_ref().or(asked.integration.as_ref());
    let client = client.ok_or_else(|| usage("nobody acts: --integration or --client"))?;
    let kind = asked.path.ok_or_else(|| usage("no kind of call is named: --path"))?;
    let needed = |it: &Option<String>, flag: &str| {
        it.clone().ok_or_else(|| usage(&format!("a {} needs {flag}", kind.word())))
    };
    let (resource, id) = match kind {
        PathKind::TokenMint if asked.scope.is_empty() => {
            return Err(usage("a token-mint needs --scope"));
        }
        PathKind::TokenMint => ("scope", asked.scope.join(" ")),
        PathKind::TokenUse => ("endpoint", needed(&asked.endpoint, "--endpoint")?),
        PathKind::AssertionIn | PathKind::CallIn => {
            ("endpoint", needed(&asked.subject, "--subject")?)
        }
        PathKind::EventOut => ("event", needed(&asked.event, "--event")?),
        PathKind::Automation => ("workflow", needed(&asked.subject, "--subject")?),
    };
    let mut context = json!({});
    let mut add = |name: &str, value: Value| context[name] = value;
    match kind {
        PathKind::TokenMint => {
            add("grant_type", json!(asked.grant_type));
            add("ttl_seconds", json!(asked.ttl.seconds()));
        }
        PathKind::TokenUse => add("scopes", json!(asked.scope)),
        PathKind::EventOut => add("subject", json!(needed(&asked.subject, "--subject")?)),
        _ => {}
    }
    if !asked.cause.is_empty() {
        let causes: serde_json::Map<String, Value> =
            asked.cause.iter().map(|(name, number)| (name.clone(), json!(number))).collect();
        add("causes", Value::Object(causes));
    }
    if let Some(ip) = asked.ip {
        add("ip", json!(ip));
    }
    if let Some(at) = asked.issued {
        add("iat", json!(at.seconds()));
    }
    Ok(json!({
        "subject": { "type": "client", "id": client },
        "action": { "name": kind.word() },
        "resource": { "type": resource, "id": id },
        "context": context,
    }))
}
