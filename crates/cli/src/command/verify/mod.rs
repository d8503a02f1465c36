//! `verify`: documents that came from somewhere are held against each other and against pinned keys.
//!
//! Offline. It says yes only to what it looked at, and names the rest.

mod document;
mod snapshot;

use std::path::Path;

use countersign_ledger::VerifierKey;
use countersign_server::pack::{Keys, Line, Pins, Report, Word};
use serde_json::{Value, json};

use super::{Context, read_text};
use crate::args::VerifyArgs;
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::beside;

/// One file, and what came of it.
struct Verified {
    file: String,
    kind: &'static str,
    report: Report,
}

/// Verifies each file.
pub(crate) fn run(context: Context<'_>, arguments: &VerifyArgs) -> Outcome {
    let pins = pins(arguments)?;
    let now = arguments.at.unwrap_or_else(clock::now);
    let mut all = Vec::with_capacity(arguments.files.len());
    for file in &arguments.files {
        let bytes = document::bytes(file)?;
        let (kind, report) = document::verify(&bytes, &pins, now);
        all.push(Verified { file: file.display().to_string(), kind, report });
    }
    let exit = all.iter().map(|it| exit(&it.report)).max_by_key(|it| weight(*it));
    let exit = exit.unwrap_or(Exit::Usage);
    let files: Vec<Value> = all.iter().map(described).collect();
    let document = json!({
        "schema": "countersign.verified/1", "exit": exit.code(), "verdict": exit.word(),
        "at": now, "files": files,
    });
    context.show(&document, |_| all.iter().flat_map(lines).collect());
    Ok(exit)
}

/// What the lines of one file come to.
fn exit(report: &Report) -> Exit {
    if report.lines.is_empty() || report.fails_anywhere() {
        Exit::Integrity
    } else if report.has(Word::NotChecked) {
        Exit::NotJudged
    } else if report.has(Word::NotInForce) {
        Exit::No
    } else {
        Exit::Yes
    }
}

/// The worst of several files counts.
fn weight(exit: Exit) -> u8 {
    match exit {
        Exit::Yes => 0,
        Exit::No => 1,
        Exit::NotJudged => 2,
        _ => 3,
    }
}

fn described(it: &Verified) -> Value {
    let exit = exit(&it.report);
    json!({
        "file": it.file, "kind": it.kind, "exit": exit.code(), "verdict": exit.word(),
        "pinned": !it.report.has(Word::OwnWord), "checks": it.report.lines,
    })
}

fn lines(it: &Verified) -> Vec<String> {
    let mut lines = vec![format!("{} · {}", it.file, it.kind)];
    for Line { check, word, text } in &it.report.lines {
        let mark = match word {
            Word::Fails => "✘",
            Word::Holds => "✔",
            Word::NotInForce => "‖",
            Word::NotChecked => "?",
            Word::OwnWord => "!",
        };
        lines.extend(beside(&format!("  {mark} {check:<12}"), text));
    }
    let own = it.report.has(Word::OwnWord);
    let last = match exit(&it.report) {
        Exit::Yes if own => {
            "consistent in itself; keys are the pack's own, so it shows nothing about who made it"
        }
        Exit::Yes => "verified",
        Exit::No => "authentic as far as it was checked, and not in force",
        Exit::NotJudged => "not verified: what is marked ? could not be looked at",
        _ => "DOES NOT VERIFY",
    };
    lines.push(format!("  {last}"));
    if own {
        lines.push("  pin keys that came another way: --keys FILE, --vkey, --approver".to_owned());
    }
    lines
}

fn pins(arguments: &VerifyArgs) -> Result<Pins, Failure> {
    let mut pins = match &arguments.keys {
        None => Pins::default(),
        Some(path) => keys(path)?,
    };
    if let Some(text) = &arguments.vkey {
        pins.log = Some(vkey(text)?);
    }
    pins.certificate = arguments.certificate_key.or(pins.certificate);
    if !arguments.approver.is_empty() {
        pins.approvers = Some(arguments.approver.clone());
    }
    Ok(pins)
}

fn keys(path: &Path) -> Result<Pins, Failure> {
    let unusable = |error: &dyn std::error::Error| {
        Failure::new(Exit::Usage, format!("`{}` is no set of keys", path.display()))
            .because(error)
            .help("`countersign.keys/1`, as `countersign evidence export --keys-out` writes it")
    };
    let keys: Keys = serde_json::from_str(&read_text(path)?).map_err(|it| unusable(&it))?;
    Pins::all(&keys).map_err(|it| unusable(&it))
}

/// A verifier key, or a file that holds one.
pub(super) fn vkey(text: &str) -> Result<VerifierKey, Failure> {
    let text =
        if Path::new(text).is_file() { read_text(Path::new(text))? } else { text.to_owned() };
    text.trim().parse().map_err(|it| {
        Failure::new(Exit::Usage, "the verifier key cannot be read")
            .because(&it)
            .help("name+hash+key, or a file that holds it")
    })
}
