//! `evidence show`: what was said and seen, and whether it is judged the same here.
//! `evidence export`: all of it in one file, to be verified without the server.

use std::io::Write as _;
use std::path::Path;

use countersign_checks::replay::judge_again;
use countersign_model::check::Evidence;
use serde_json::{Value, json};

use super::{Context, list, text};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::{beside, moment};

/// How much of a body is shown.
const SHOWN_MAX: usize = 400;

/// Shows one piece of evidence and judges it again, without the partner.
pub(crate) async fn show(context: Context<'_>, id: &str) -> Outcome {
    let answer = context.client()?.get(&format!("/v1/evidence/{id}")).await?;
    let evidence: Evidence = serde_json::from_value(answer.clone()).map_err(|it| {
        Failure::new(Exit::Integrity, format!("`{id}` is no evidence that is known here"))
            .because(&it)
    })?;
    let again = judge_again(&evidence);
    let same = again.as_ref().map(|it| it.verdict == evidence.judgement.verdict);
    let document = json!({
        "schema": "countersign.evidence-shown/1", "evidence": answer,
        "again": again.as_ref().map(|it| it.verdict), "same": same,
    });
    context.show(&document, |it| lines(&it["evidence"], &evidence, same));
    match same {
        Some(false) => Err(Failure::new(
            Exit::Integrity,
            "the transcript is judged otherwise here than where it was taken",
        )),
        _ => Ok(Exit::Yes),
    }
}

/// Writes a pack, as the server sealed it.
pub(crate) async fn export(
    context: Context<'_>,
    target: &str,
    out: &Path,
    keys_out: Option<&Path>,
) -> Outcome {
    let client = context.client()?;
    let pack = client.bytes(&format!("/v1/packs/{target}")).await?;
    put(out, &pack)?;
    if let Some(path) = keys_out {
        put(path, &client.bytes("/v1/keys").await?)?;
    }
    let document = json!({
        "schema": "countersign.pack-written/1", "file": out, "keys": keys_out, "bytes": pack.len(),
    });
    context.show(&document, |_| {
        let keys = keys_out.map(|it| format!(" --keys {}", it.display())).unwrap_or_default();
        let file = out.display();
        vec![
            format!("{} bytes written to {file}; nothing of them is verified yet", pack.len()),
            format!("next: countersign verify {file}{keys}"),
        ]
    });
    Ok(Exit::Yes)
}

/// Writes a file that is not there yet.
fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = std::fs::File::create_new(path).map_err(|it| {
        let mut failure = Failure::file("write", path, &it);
        if it.kind() == std::io::ErrorKind::AlreadyExists {
            failure.exit = Exit::Usage;
        }
        failure
    })?;
    file.write_all(bytes).map_err(|it| Failure::file("write", path, &it))
}

fn lines(document: &Value, evidence: &Evidence, same: Option<bool>) -> Vec<String> {
    let transcript = &document["transcript"];
    let judgement = &document["judgement"];
    let mut lines = vec![
        format!(
            "{}  {}  {}",
            evidence.id,
            text(transcript, "check"),
            text(judgement, "verdict").to_uppercase()
        ),
        format!("  taken {} by {}", moment(text(document, "at")), evidence.collector),
    ];
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            lines.extend(beside(&format!("  {name:<10}"), text));
        }
    };
    row("says", text(judgement, "sentence"));
    row("observed", text(judgement, "observed"));
    row("expected", text(judgement, "expected"));
    row(
        "again",
        match same {
            Some(true) => "judged here from the transcript alone: the same",
            Some(false) => "judged here from the transcript alone: OTHERWISE",
            None => "this version does not know the check",
        },
    );
    lines.push(String::new());
    let entries = list(transcript, "entries");
    lines.push(format!(
        "  {} entries in the transcript, secrets replaced by digests",
        entries.len()
    ));
    for (index, entry) in entries.iter().enumerate() {
        lines.extend(beside(&format!("  {:>3}  ", index + 1), &entry_line(entry)));
    }
    lines
}

/// One thing that happened, in one sentence.
fn entry_line(entry: &Value) -> String {
    let shown = |it: &Value| -> String { it.to_string().chars().take(SHOWN_MAX).collect() };
    let label = text(entry, "label");
    match text(entry, "entry") {
        "exchange" => {
            let (request, answer) = (&entry["request"], &entry["answer"]);
            let status = answer["status"].as_u64();
            let answered = status.map_or_else(|| shown(answer), |it| it.to_string());
            let (method, url) = (text(request, "method"), text(request, "url"));
            let ms = super::number(entry, "elapsed_ms");
            format!("{label}: {method} {url} -> {answered}  ({ms} ms)")
        }
        "fact" => format!("{label}, from {}: {}", text(entry, "source"), shown(&entry["value"])),
        _ => shown(entry),
    }
}
