//! What a server and its log know of an id.

use serde_json::{Value, json};

use super::super::{joined, withdraw};
use super::{Context, list, text};
use crate::client::Client;
use crate::command::number;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::{beside, moment};

/// The prefixes of ids that the log can know.
const PREFIXES: [&str; 9] = ["asm_", "crt_", "dec_", "drl_", "ev_", "int_", "pln_", "rev_", "wvr_"];
/// How many entries are asked for at once.
const PAGE: u64 = 1_000;
/// How many of the newest entries are searched at most.
const ENTRIES_MAX: u64 = 100_000;
/// How many entries are shown.
const SHOWN_MAX: usize = 30;

/// Whether it is the id of something.
pub(in super::super) fn is_id(word: &str) -> bool {
    PREFIXES.iter().any(|it| word.starts_with(it))
}

/// Shows what is known of it, and each entry of the log that names it.
pub(super) async fn run(context: Context<'_>, id: &str) -> Outcome {
    let client = context.client()?;
    let known = match id {
        _ if id.starts_with("asm_") => known(&client, &format!("/v1/assessments/{id}")).await?,
        _ if id.starts_with("rev_") => known(&client, &format!("/v1/revocations/{id}")).await?,
        _ if id.starts_with("int_") => known(&client, &format!("/v1/integrations/{id}")).await?,
        _ if id.starts_with("ev_") => return super::super::evidence::show(context, id).await,
        _ => Value::Null,
    };
    let entries = entries(&client, id).await?;
    if known.is_null() && entries.is_empty() {
        let mut failure = Failure::new(Exit::Usage, format!("nothing is known of `{id}`"));
        if id.starts_with("dec_") {
            failure.help = Some(
                "an answer of a gate is remembered by that gate alone, and not for long: countersign gate decide --gate URL --replay dec_…".to_owned(),
            );
        }
        return Err(failure);
    }
    let document = json!({
        "schema": "countersign.explain/1", "kind": "id", "word": id, "known": known,
        "entries": entries,
    });
    context.show(&document, |it| lines(id, it));
    Ok(Exit::Yes)
}

/// What is at the address; nothing where it is not known there.
async fn known(client: &Client, path: &str) -> Result<Value, Failure> {
    match client.get(path).await {
        Err(failure) if failure.exit == Exit::Usage => Ok(Value::Null),
        other => other,
    }
}

/// The entries that name it, oldest first.
pub(in super::super) async fn entries(client: &Client, id: &str) -> Result<Vec<Value>, Failure> {
    let size = number(&client.get("/v1/log/entries?from=0&n=0").await?, "size");
    let mut from = size.saturating_sub(ENTRIES_MAX);
    let mut found = Vec::new();
    while from < size {
        let page = client.get(&format!("/v1/log/entries?from={from}&n={PAGE}")).await?;
        let entries = list(&page, "entries");
        if entries.is_empty() {
            break;
        }
        let names = |it: &&Value| names(&it["entry"], id);
        found.extend(entries.iter().filter(names).cloned());
        from += entries.len() as u64;
    }
    Ok(found)
}

/// Whether a value of the entry is the id.
fn names(entry: &Value, id: &str) -> bool {
    match entry {
        Value::String(it) => it == id,
        Value::Array(all) => all.iter().any(|it| names(it, id)),
        Value::Object(all) => all.values().any(|it| names(it, id)),
        _ => false,
    }
}

fn lines(id: &str, document: &Value) -> Vec<String> {
    let known = &document["known"];
    let mut lines = vec![id.to_owned()];
    if list(known, "paths").is_empty() {
        if let Some(summary) = known.get("summary") {
            let (pass, total) = (number(summary, "pass"), number(summary, "total"));
            lines.push(format!(
                "  {} · profile {} · {pass} of {total} controls pass",
                text(known, "tier"),
                text(known, "profile")
            ));
            for it in list(known, "outcomes").iter().filter(|it| it["outcome"] == "fail") {
                let why = joined(it, "checks");
                lines.extend(beside("  fails  ", &format!("{} {why}", text(it, "control"))));
            }
        }
    } else {
        lines.extend(withdraw::receipt(known));
    }
    let entries = list(document, "entries");
    lines.push(String::new());
    lines.push(format!("  {} entries of the log name it", entries.len()));
    for it in entries.iter().take(SHOWN_MAX) {
        let (index, entry) = (number(it, "index"), &it["entry"]);
        let by = text(entry, "by");
        let by = if by.is_empty() { String::new() } else { format!("   by {by}") };
        let at = moment(text(entry, "at"));
        lines.push(format!("  {index:>7}  {at}  {}{by}", text(entry, "kind")));
    }
    lines
}
