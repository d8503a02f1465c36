//! `log check`: every line of a log is judged, offline.

mod findings;
mod picture;
mod text;

use std::path::PathBuf;

use countersign_checks::log::files::Files;
use countersign_checks::log::judge::Judge;
use countersign_checks::log::marks::{Canaries, Marks};
use countersign_checks::log::pool::{Input, read_all, threads};
use countersign_checks::log::report::{Report, Share};
use countersign_checks::log::rules::Expectation;
use serde_json::{Value, json};

use self::findings::Findings;
use super::{Context, manifest, read_text};
use crate::args::{FindingsAs, LogCheckArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Judges logs, line by line; a folder stands for all files below it, `-` is standard input.
pub(crate) fn run(context: Context<'_>, args: &LogCheckArgs) -> Outcome {
    let parsed = manifest::load(context, &args.manifest)?;
    let expectation = Expectation::compile(&parsed.manifest).map_err(|it| {
        Failure::new(Exit::NotJudged, "the declared use cannot be held against a log").because(&it)
    })?;
    let (streams, paths): (Vec<&PathBuf>, Vec<&PathBuf>) =
        args.files.iter().partition(|it| it.as_os_str() == "-");
    let found = Files::find(paths.iter().map(|it| it.as_path()))
        .map_err(|it| Failure::new(Exit::NotJudged, "the logs cannot be found").because(&it))?;
    let mut inputs: Vec<Input<'_>> = found.read.iter().cloned().map(Input::File).collect();
    if !streams.is_empty() {
        inputs.push(Input::Stream("stdin".to_owned(), Box::new(std::io::stdin())));
    }
    let mut findings = Findings::new(context.ui, args.output, (&args.manifest, &parsed));
    let judge = Judge::new(&expectation).between(marks(args)).looking_for(canaries(args)?);
    let report = findings.begin().while_judging(judge, |judge| {
        read_all(inputs, judge, threads()).map_err(|(name, it)| {
            Failure::new(Exit::NotJudged, format!("`{name}` cannot be read")).because(&it)
        })
    })?;
    let exit = verdict(&report);
    if let Some(path) = &args.svg {
        std::fs::write(path, picture::svg(&report))
            .map_err(|it| Failure::file("write", path, &it))?;
    }
    let document = document(&report, &found, (exit, &findings));
    match args.output {
        None => context.show(&document, |_| text::text(&report, &found, &findings)),
        Some(FindingsAs::Sarif | FindingsAs::Jsonl) => {
            findings.end();
            for line in text::text(&report, &found, &findings) {
                context.ui.say(line);
            }
        }
    }
    Ok(exit)
}

fn marks(args: &LogCheckArgs) -> Marks {
    let mut marks = Marks::default();
    for (client, first, last) in &args.numbers {
        marks.add(client, *first, *last);
    }
    marks
}

fn canaries(args: &LogCheckArgs) -> Result<Canaries, Failure> {
    let mut canaries = Canaries::default();
    let Some(path) = &args.canaries else { return Ok(canaries) };
    for (number, line) in (1..).zip(read_text(path)?.lines()) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (None, ..) => {}
            (Some(client), Some(token), None) => canaries.add(client, token),
            _ => {
                let place = format!("{}:{number} is not `CLIENT TOKEN_ID`", path.display());
                return Err(Failure::new(Exit::Usage, place));
            }
        }
    }
    Ok(canaries)
}

/// No request proves nothing; a line that cannot be read may be any request, and what is not told is not known.
fn verdict(report: &Report) -> Exit {
    let shares = shares(report);
    if !shares.iter().all(|(_, it)| it.is_whole()) || 0 < missing(report) {
        return Exit::No;
    }
    let is_untold = shares.iter().any(|(_, it)| 0 < it.untold);
    let is_unknown = report.requests + report.uses == 0 || 0 < report.unreadable.count;
    if is_untold || is_unknown || report.cut { Exit::NotJudged } else { Exit::Yes }
}

/// How many lines are known to be missing.
fn missing(report: &Report) -> u64 {
    report.gaps.count + report.orphans.count + report.missed.count
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

fn document(report: &Report, files: &Files, (exit, findings): (Exit, &Findings<'_>)) -> Value {
    json!({
        "schema": "countersign.log-check/2", "exit": exit.code(), "verdict": exit.word(),
        "files": files.read, "skipped": files.skipped, "report": report,
        "findings": findings.shown(), "findings_all": findings.all,
    })
}
