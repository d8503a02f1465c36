//! `log tail`, `log show`, `log prove`: entries of a server's log, and the proof that they stand there.

use std::path::Path;

use countersign_ledger::{LogProof, VerifierKey};
use countersign_seal::canonical_json;
use serde_json::{Value, json};

use super::{Context, explain, list, number, text, verify};
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::moment;

/// How many entries are proven at once.
const PROVEN_MAX: usize = 256;

/// The newest entries, oldest first.
pub(crate) async fn tail(context: Context<'_>, n: u64) -> Outcome {
    let client = context.client()?;
    let size = number(&client.get("/v1/log/entries?from=0&n=0").await?, "size");
    let from = size.saturating_sub(n);
    let page = client.get(&format!("/v1/log/entries?from={from}&n={n}")).await?;
    shown(context, size, list(&page, "entries"));
    Ok(Exit::Yes)
}

/// One entry, or all that name an id.
pub(crate) async fn show(context: Context<'_>, entry: &str) -> Outcome {
    let client = context.client()?;
    let found = found(&client, entry).await?;
    if !context.ui.json && entry.parse::<u64>().is_ok() {
        for it in &found {
            context.ui.document(&it["entry"]);
        }
        return Ok(Exit::Yes);
    }
    let size = number(&client.get("/v1/log/entries?from=0&n=0").await?, "size");
    shown(context, size, &found);
    Ok(Exit::Yes)
}

fn shown(context: Context<'_>, size: u64, entries: &[Value]) {
    let document =
        json!({ "schema": "countersign.log-entries/1", "size": size, "entries": entries });
    context.show(&document, |it| list(it, "entries").iter().map(line).collect());
}

fn line(it: &Value) -> String {
    let (index, entry) = (number(it, "index"), &it["entry"]);
    let names = ["certificate", "revocation", "assessment", "decision", "waiver", "integration"];
    let about = names.iter().map(|it| text(entry, it)).find(|it| !it.is_empty());
    let at = moment(text(entry, "at"));
    format!("{index:>7}  {at}  {:<24}  {}", text(entry, "kind"), about.unwrap_or_default())
}

/// The entries that are meant, oldest first; at least one.
async fn found(client: &Client, entry: &str) -> Result<Vec<Value>, Failure> {
    let nothing = || Failure::new(Exit::Usage, format!("the log has no entry `{entry}`"));
    let found = if let Ok(index) = entry.parse::<u64>() {
        let page = client.get(&format!("/v1/log/entries?from={index}&n=1")).await?;
        list(&page, "entries").to_vec()
    } else if explain::is_id(entry) {
        explain::entries(client, entry).await?
    } else {
        return Err(nothing().help("an index, or an id such as crt_… or rev_…"));
    };
    if found.is_empty() { Err(nothing()) } else { Ok(found) }
}

/// Holds each entry against its proof and the log's key.
pub(crate) async fn prove(
    context: Context<'_>,
    entry: &str,
    vkey: Option<&str>,
    out: Option<&Path>,
) -> Outcome {
    let client = context.client()?;
    let pinned = vkey.map(verify::vkey).transpose()?;
    let key = match &pinned {
        Some(it) => it.clone(),
        None => verify::vkey(&utf8(client.bytes("/v1/log/vkey").await?)?)?,
    };
    let entries = found(&client, entry).await?;
    if PROVEN_MAX < entries.len() {
        let text = format!("{} entries name it; at most {PROVEN_MAX} are proven", entries.len());
        return Err(Failure::new(Exit::Usage, text).help("name one by its index"));
    }
    let mut proven = Vec::with_capacity(entries.len());
    for it in &entries {
        proven.push(prove_one(&client, it, &key, out).await?);
    }
    let document = json!({
        "schema": "countersign.log-proven/1", "origin": key.name(), "pinned": pinned.is_some(),
        "entries": proven,
    });
    context.show(&document, |it| {
        let mut lines: Vec<String> = list(it, "entries").iter().map(said).collect();
        lines.push(if pinned.is_some() {
            "  held against the key that you named".to_owned()
        } else {
            "  the key is the server's own; name yours with --vkey".to_owned()
        });
        lines
    });
    Ok(Exit::Yes)
}

fn said(it: &Value) -> String {
    let (index, size) = (number(it, "index"), number(it, "size"));
    let kind = text(&it["entry"], "kind");
    format!(
        "✔ {index:>7}  {kind:<24}  is in the log of {size} entries, {} hashes",
        number(it, "hashes")
    )
}

async fn prove_one(
    client: &Client,
    found: &Value,
    key: &VerifierKey,
    out: Option<&Path>,
) -> Result<Value, Failure> {
    let index = number(found, "index");
    let broken = |text: &str| Failure::new(Exit::Integrity, format!("entry {index} {text}"));
    // An entry is canonical JSON, so its bytes follow from what it says.
    let bytes = canonical_json(&found["entry"])
        .map_err(|it| broken("is not canonical JSON").because(&it))?;
    let file = utf8(client.bytes(&format!("/v1/log/proof?index={index}")).await?)?;
    let proof: LogProof =
        file.parse().map_err(|it| broken("has no proof that can be read").because(&it))?;
    if proof.index != index {
        return Err(broken("is proven by a proof for another one"));
    }
    let checkpoint = proof
        .verify(&bytes, key)
        .map_err(|it| broken("is not proven to be in the log").because(&it))?;
    if let Some(folder) = out {
        put(&folder.join(format!("{index}.entry.json")), &bytes)?;
        put(&folder.join(format!("{index}.tlog-proof")), file.as_bytes())?;
    }
    Ok(json!({
        "index": index, "size": checkpoint.size, "hashes": proof.hashes.len(),
        "entry": found["entry"], "proof": file,
    }))
}

fn utf8(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes)
        .map_err(|it| Failure::new(Exit::Broken, "the server's answer is no text").because(&it))
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|it| Failure::file("create", folder, &it))?;
    }
    std::fs::write(path, bytes).map_err(|it| Failure::file("write", path, &it))
}
