//! `log`: a published log is verified; a token log is judged. Both offline.

use std::path::{Path, PathBuf};

use countersign_checks::log::files::{Files, read_file, read_stream};
use countersign_checks::log::judge::Judge;
use countersign_checks::log::report::{Found, Report, Share};
use countersign_checks::log::rules::Expectation;
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

/// Judges token logs, line by line; a folder stands for all files below it, `-` is standard input.
pub(crate) fn check(context: Context<'_>, files: &[PathBuf], manifest_path: &Path) -> Outcome {
    let parsed = manifest::load(context, manifest_path)?;
    let expectation = Expectation::compile(&parsed.manifest).map_err(|it| {
        Failure::new(Exit::NotJudged, "the declared use cannot be held against a log").because(&it)
    })?;
    let (streams, paths): (Vec<&PathBuf>, Vec<&PathBuf>) =
        files.iter().partition(|it| it.as_os_str() == "-");
    let found = Files::find(paths.iter().map(|it| it.as_path())).map_err(|it| {
        Failure::new(Exit::NotJudged, "the folder of logs cannot be read").because(&it)
    })?;
    let mut judge = Judge::new(&expectation);
    for file in &found.read {
        read_file(file, &mut judge).map_err(|it| Failure::file("read", file, &it))?;
    }
    if !streams.is_empty() {
        read_stream("stdin", &mut std::io::stdin().lock(), &mut judge);
    }
    let report = judge.finish();
    let exit = verdict(&report);
    context.show(&document(&report, &found, exit), |_| text(&report, &found));
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

/// No request proves nothing; a line that cannot be read may be any request.
fn verdict(report: &Report) -> Exit {
    let missing = report.gaps.count + report.orphans.count;
    if !shares(report).iter().all(|(_, it)| it.is_whole()) || 0 < missing {
        Exit::No
    } else if report.requests == 0 || 0 < report.unreadable.count || report.cut {
        Exit::NotJudged
    } else {
        Exit::Yes
    }
}

fn shares(report: &Report) -> [(&'static str, &Share); 5] {
    [
        ("attributable", &report.attributable),
        ("time bounded", &report.time_bounded),
        ("inside the declared use", &report.consistent),
        ("used while alive", &report.used_in_time),
        ("used as declared", &report.used_as_declared),
    ]
}

fn document(report: &Report, files: &Files, exit: Exit) -> Value {
    json!({
        "schema": "countersign.log-check/1", "exit": exit.code(), "verdict": exit.word(),
        "files": files.read, "skipped": files.skipped, "report": report,
    })
}

fn text(report: &Report, files: &Files) -> Vec<String> {
    let mut lines = vec![format!("{} token requests in {} lines", report.requests, report.lines)];
    let counts = [
        (report.refused, "refused"),
        (report.revocations, "revocations"),
        (report.others, "lines of clients that this manifest does not declare"),
    ];
    lines.extend(counts.iter().filter(|it| 0 < it.0).map(|it| format!("  {} {}", it.0, it.1)));
    for (name, share) in shares(report) {
        // Many logs tell of requests alone.
        if share.all == 0 && name.starts_with("used") {
            continue;
        }
        let mark = if share.is_whole() { "✔" } else { "✘" };
        lines.push(format!("{mark} {:<24}{} of {}", name, share.good, share.all));
        let rest = (share.all - share.good).saturating_sub(share.failing.len() as u64);
        extend(&mut lines, &share.failing, rest);
    }
    let missing = report.gaps.count + report.orphans.count;
    let mark = if missing == 0 { "✔" } else { "✘" };
    lines.push(format!("{mark} {:<24}gaps: {missing}", "nothing is missing"));
    for found in [&report.gaps, &report.orphans] {
        // A gap may be longer than one number.
        let shown = if found.first.len() < 100 { found.count } else { found.first.len() as u64 };
        extend(&mut lines, &found.first, found.count - shown.min(found.count));
    }
    if report.cut {
        lines.push(
            "! there is more than can be kept: whether lines are missing is not known".into(),
        );
    }
    noted(&mut lines, "could not be read", &report.unreadable);
    noted(&mut lines, "times go back", &report.clock);
    for skipped in &files.skipped {
        lines.push(format!("  skipped {}", skipped.display()));
    }
    lines
}

fn noted(lines: &mut Vec<String>, name: &str, found: &Found) {
    if 0 < found.count {
        lines.push(format!("! {name:<24}{}", found.count));
        extend(lines, &found.first, found.count - found.first.len() as u64);
    }
}

fn extend(lines: &mut Vec<String>, shown: &[String], rest: u64) {
    lines.extend(shown.iter().map(|it| format!("    {it}")));
    if 0 < rest {
        lines.push(format!("    and {rest} more"));
    }
}
