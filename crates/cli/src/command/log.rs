//! `log`: a published log is verified; a token log is judged. Both offline.

use std::io::{BufRead as _, Read as _};
use std::path::{Path, PathBuf};

use countersign_checks::log::rules::{Expectation, Judge, Report, Share};
use countersign_ledger::directory::PublishedDirectory;
use countersign_ledger::verify::{VerifyError, verify as verify_log};
use countersign_ledger::{StoreError, VerifierKey};
use serde_json::{Value, json};

use super::{Context, manifest, read_text};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Verifies a folder of tiles and its checkpoint.
pub(crate) fn verify(
    context: Context<'_>,
    folder: &Path,
    vkey: &str,
    since: Option<&Path>,
) -> Outcome {
    let text =
        if Path::new(vkey).is_file() { read_text(Path::new(vkey))? } else { vkey.to_owned() };
    let key: VerifierKey = text.trim().parse().map_err(|it| {
        Failure::new(Exit::Usage, "the verifier key cannot be read")
            .because(&it)
            .help("name+hash+key, or a file that holds it")
    })?;
    let earlier = since.map(read_text).transpose()?;
    let reader = PublishedDirectory::new(folder);
    let mut entries = 0_u64;
    let verified = verify_log(&reader, &key, earlier.as_deref(), |_, _| entries += 1);
    let verified = verified.map_err(|error| {
        let exit = match &error {
            VerifyError::Store(StoreError { .. }) | VerifyError::NoCheckpoint => Exit::NotJudged,
            _ => Exit::Integrity,
        };
        Failure::new(exit, format!("the log in `{}` does not verify", folder.display()))
            .because(&error)
    })?;
    let answer = json!({
        "schema": "countersign.log-verified/1",
        "origin": key.name(),
        "size": verified.checkpoint.size,
        "root": verified.checkpoint.root.to_string(),
        "entries_read": entries,
        "earlier_size": verified.earlier.as_ref().map(|it| it.size),
    });
    context.show(&answer, |_| {
        let mut lines = vec![format!(
            "✔ {entries} entries of {} stand under the signed root {}",
            key.name(),
            verified.checkpoint.root.short()
        )];
        if let Some(earlier) = &verified.earlier {
            lines.push(format!(
                "✔ the log only grew: all {} earlier entries are unchanged",
                earlier.size
            ));
        }
        lines
    });
    Ok(Exit::Yes)
}

/// Judges token logs, line by line; `-` is standard input.
pub(crate) fn check(context: Context<'_>, files: &[PathBuf], manifest_path: &Path) -> Outcome {
    let parsed = manifest::load(context, manifest_path)?;
    let expectation = Expectation::compile(&parsed.manifest).map_err(|it| {
        Failure::new(Exit::NotJudged, "the declared use cannot be held against a log").because(&it)
    })?;
    let mut judge = Judge::new(&expectation);
    for file in files {
        if file.as_os_str() == "-" {
            lines(&mut std::io::stdin().lock(), &mut judge)
                .map_err(|it| Failure::file("read", file, &it))?;
        } else {
            let open = std::fs::File::open(file).map_err(|it| Failure::file("read", file, &it))?;
            lines(&mut std::io::BufReader::new(open), &mut judge)
                .map_err(|it| Failure::file("read", file, &it))?;
        }
    }
    let report = judge.finish();
    let exit = verdict(&report);
    context.show(&document(&report, exit), |_| text(&report));
    Ok(exit)
}

/// Copies the server's published log into a folder.
pub(crate) async fn export(context: Context<'_>, out: &Path) -> Outcome {
    let size = crate::log_copy::copy(&context.client()?, out).await?;
    let answer = json!({ "schema": "countersign.log-export/1", "folder": out, "entries": size });
    context.show(&answer, |_| {
        let folder = out.display();
        vec![
            format!("{size} entries copied to {folder}; nothing of them is verified yet"),
            format!("next: countersign log verify {folder} --vkey KEY"),
        ]
    });
    Ok(Exit::Yes)
}

/// Takes each line in; what is longer than a line may be is cut, and so refused by the judge.
fn lines(reader: &mut dyn std::io::BufRead, judge: &mut Judge<'_>) -> std::io::Result<()> {
    let limit = countersign_checks::log::record::LINE_BYTES_MAX as u64 + 2;
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut *reader).take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && limit <= line.len() as u64 {
            skip_line(reader)?;
        }
        judge.line(line.trim_ascii_end());
    }
}

fn skip_line(reader: &mut dyn std::io::BufRead) -> std::io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (used, done) = match buffer.iter().position(|it| *it == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        reader.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// No request proves nothing; a line that cannot be read may be any request.
fn verdict(report: &Report) -> Exit {
    let clean = |it: &Share| it.good == it.all;
    let all =
        clean(&report.attributable) && clean(&report.time_bounded) && clean(&report.consistent);
    if !all || !report.gaps.is_empty() {
        Exit::No
    } else if report.requests == 0 || !report.unreadable.is_empty() || report.ids_cut {
        Exit::NotJudged
    } else {
        Exit::Yes
    }
}

fn document(report: &Report, exit: Exit) -> Value {
    json!({ "schema": "countersign.log-check/1", "exit": exit.code(), "verdict": exit.word(), "report": report })
}

fn text(report: &Report) -> Vec<String> {
    let mut lines = vec![format!("{} token requests", report.requests)];
    let shares = [
        ("attributable", &report.attributable),
        ("time bounded", &report.time_bounded),
        ("inside the declared use", &report.consistent),
    ];
    for (name, share) in shares {
        let mark = if share.good == share.all { "✔" } else { "✘" };
        lines.push(format!("{mark} {:<24}{} of {}", name, share.good, share.all));
        lines.extend(share.failing.iter().map(|it| format!("    {it}")));
    }
    let mark = if report.gaps.is_empty() { "✔" } else { "✘" };
    lines.push(format!("{mark} {:<24}gaps: {}", "nothing is missing", report.gaps.len()));
    lines.extend(report.gaps.iter().map(|it| format!("    {it}")));
    lines.extend(report.unreadable.iter().map(|it| format!("  unreadable  {it}")));
    lines
}
