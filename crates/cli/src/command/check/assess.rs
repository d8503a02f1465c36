//! An integration is checked by its server: what counts for a certificate.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_checks::preflight::Problem;
use countersign_model::check::{Assessment, EvidenceRef, Finding, Summary, Verdict};
use countersign_server::clock::Stopwatch;
use serde_json::{Value, json};

use super::findings::{self, Source};
use super::{is_shown, watch};
use crate::args::CheckArgs;
use crate::client::Client;
use crate::command::{Context, joined, list, manifest, number, sweeps, text};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::{beside, seconds};

/// Has the server run every check that is due.
pub(super) async fn run(context: Context<'_>, target: &str, args: &CheckArgs) -> Outcome {
    let client = context.client()?;
    let manifest = match &args.manifest {
        Some(path) => Some((manifest::load(context, path)?, path.display().to_string())),
        None => None,
    };
    let mut body = json!({ "integration": target, "only": args.only, "repeat": args.repeat });
    if args.failed {
        let failed = failed(&client, target, args).await?;
        if failed.checks.is_empty() {
            context.ui.say("nothing failed or was left open in the last run; nothing was run");
            return exit_of(failed.exit);
        }
        body["only"] = json!(failed.checks);
    }
    context.ui.working(&format!("the server checks {target}"));
    let stopwatch = Stopwatch::start();
    let limit = Duration::from_secs(context.arguments.timeout) * args.repeat;
    let answer = tokio::select! {
        it = client.post_patiently("/v1/assessments", &body, limit) => it?,
        never = watch::follow(context, &client, target) => match never {},
    };
    let source = manifest.as_ref().map(|(parsed, file)| Source { parsed, file });
    let exit = flipped(&answer, exit_of(number(&answer, "exit"))?);
    let mut shown = Vec::new();
    for finding in list(&answer, "findings") {
        let finding: Finding = serde_json::from_value(finding.clone())
            .map_err(|it| unreadable("a finding cannot be read").because(&it))?;
        if is_shown(&finding, args) {
            shown.push(finding);
        }
    }
    let open = undecided(&client, &answer).await?;
    context.show(&answer, |it| {
        if it["preflight"]["ok"] == false {
            return not_judged(it, source);
        }
        let run = Run { shown: &shown, open: &open, exit, ms: stopwatch.ms() };
        assessed(it, &run, source)
    });
    Ok(exit)
}

fn exit_of(number: u64) -> Result<Exit, Failure> {
    let known = Exit::ALL.into_iter().find(|it| u64::from(it.code()) == number);
    known.ok_or_else(|| unreadable("its exit is not in the table"))
}

/// What flips is judged by nobody: where nothing else fails, the run is not judged.
fn flipped(answer: &Value, exit: Exit) -> Exit {
    let flips = list(answer, "flips");
    let is_flip = |it: &Value| {
        flips.iter().any(|flip| flip["check"] == it["check"] && flip["subject"] == it["subject"])
    };
    let fails = |it: &Value| it["blocks"] == true && it["result"] == "fail" && !is_flip(it);
    if flips.is_empty() || list(answer, "findings").iter().any(fails) {
        return exit;
    }
    Exit::NotJudged
}

/// What failed or was left open the last time.
struct Failed {
    checks: BTreeSet<String>,
    exit: u64,
}

async fn failed(client: &Client, target: &str, args: &CheckArgs) -> Result<Failed, Failure> {
    let known = client.get(&format!("/v1/integrations/{target}")).await?;
    let Some(id) = known["assessment"]["id"].as_str() else {
        return Err(Failure::new(Exit::Usage, format!("`{target}` was never checked"))
            .help(format!("countersign check {target}")));
    };
    let last = client.get(&format!("/v1/assessments/{id}")).await?;
    let last: Assessment = serde_json::from_value(last)
        .map_err(|it| unreadable("the assessment cannot be read").because(&it))?;
    let is_named = |it: &EvidenceRef| {
        let named = |word: &String| {
            *word == it.check || it.case.as_ref() == Some(word) || it.controls.contains(word)
        };
        args.only.is_empty() || args.only.iter().any(named)
    };
    let open = |it: &&EvidenceRef| {
        matches!(it.judgement.verdict, Verdict::Fail | Verdict::Inconclusive) && is_named(it)
    };
    let checks = last.evidence.iter().filter(open).map(|it| it.check.clone()).collect();
    Ok(Failed { checks, exit: u64::from(last.exit()) })
}

fn unreadable(text: &str) -> Failure {
    Failure::new(Exit::Broken, "the server's answer is not understood")
        .because(&std::io::Error::other(text.to_owned()))
}

/// What stands in the way of judging.
fn not_judged(answer: &Value, source: Option<Source<'_>>) -> Vec<String> {
    let preflight = &answer["preflight"];
    let problems = list(preflight, "problems");
    let mut lines = vec![
        format!("{} · profile {}", text(answer, "target"), text(answer, "profile")),
        String::new(),
    ];
    for problem in problems {
        lines.extend(self::problem("not judged", problem, source));
    }
    let count = number(preflight, "count");
    lines.push(format!("  {} of {count} preflight questions failed", problems.len()));
    lines.push(
        "  no check ran and nothing was written. This is about set-up, not about security."
            .to_owned(),
    );
    lines
}

/// One thing that preflight found.
fn problem(word: &str, problem: &Value, source: Option<Source<'_>>) -> Vec<String> {
    let head = format!("{word}: ");
    let read: Option<Problem> = serde_json::from_value(problem.clone()).ok();
    let Some(problem) = read else { return beside(&head, text(problem, "message")) };
    let mut lines = beside(&head, &problem.sentence);
    if let Some(place) = &problem.place {
        lines.extend(findings::place(place, source));
    }
    for (name, text) in
        [("asked:", &problem.question), ("observed:", &problem.observed), ("fix:", &problem.fix)]
    {
        lines.extend(beside(&format!("   = {name:<10}"), text));
    }
    lines.push(String::new());
    lines
}

/// Required controls that nothing decided, each with its outcome: no finding speaks of them.
async fn undecided(client: &Client, answer: &Value) -> Result<Vec<String>, Failure> {
    let run = text(answer, "run");
    if run.is_empty() || number(answer, "exit") == 0 {
        return Ok(Vec::new());
    }
    let assessment = client.get(&format!("/v1/assessments/{run}")).await?;
    let assessment: Assessment = serde_json::from_value(assessment)
        .map_err(|it| unreadable("the assessment cannot be read").because(&it))?;
    let named = |it: &str| {
        assessment.findings.iter().any(|finding| finding.controls.iter().any(|id| id == it))
    };
    let open = assessment.blocking().into_iter().filter(|it| !named(&it.control));
    Ok(open.map(|it| format!("{} ({})", it.control, it.outcome.word())).collect())
}

/// What is told of a run beside its answer.
struct Run<'a> {
    shown: &'a [Finding],
    open: &'a [String],
    exit: Exit,
    ms: u64,
}

fn assessed(answer: &Value, run: &Run<'_>, source: Option<Source<'_>>) -> Vec<String> {
    let Run { shown, open, exit, ms } = *run;
    let target = text(answer, "target");
    let count = number(&answer["preflight"], "count");
    let mut lines = vec![
        format!("{target} · profile {}", text(answer, "profile")),
        String::new(),
        format!("PREFLIGHT   {count} of {count} ok"),
        String::new(),
    ];
    let notices = list(&answer["preflight"], "notices");
    if !notices.is_empty() {
        let ok = count.saturating_sub(u64::try_from(notices.len()).unwrap_or(u64::MAX));
        lines[2] = format!("PREFLIGHT   {ok} of {count} ok");
    }
    for notice in notices {
        lines.extend(problem("notice", notice, source));
    }
    for finding in shown {
        lines.extend(findings::lines(finding, source, Some(target)));
        lines.push(String::new());
    }
    let owed = sweeps::owed(list(answer, "owed"));
    for (head, looks) in &owed {
        lines.extend(beside(head, looks));
    }
    if !owed.is_empty() {
        lines.push("  it passes for what was due; the server looks again by itself".to_owned());
        lines.push(String::new());
    }
    let hidden = list(answer, "findings").len() - shown.len();
    if 0 < hidden {
        lines.push(format!("  {hidden} more findings are not shown"));
    }
    if !open.is_empty() {
        lines.extend(beside("  required, and decided by nothing: ", &open.join(", ")));
    }
    let counts: Summary = serde_json::from_value(answer["summary"].clone()).unwrap_or_default();
    lines.push(format!("  {}", findings::summary(&counts)));
    let kept = number(answer, "kept");
    let kept = if kept == 0 { String::new() } else { format!("   {kept} kept from before") };
    lines.push(format!("  run {}   {}{kept}", text(answer, "run"), seconds(ms)));
    for flip in list(answer, "flips") {
        let verdicts = joined(flip, "verdicts");
        let head = format!("  flips: {} {}  ", text(flip, "check"), text(flip, "subject"));
        lines.extend(beside(&head, &format!("{verdicts}; its worst counts until it holds still")));
    }
    let blocking = list(answer, "findings").iter().filter(|it| it["blocks"] == true).count();
    let next = match exit {
        Exit::Yes => format!("two people decide   countersign review {target}"),
        Exit::Pending => format!("only time is missing   countersign check {target}"),
        Exit::No => format!("mend {blocking} findings, then   countersign check {target}"),
        _ => format!("see what could not be judged, then   countersign check {target}"),
    };
    lines.push(format!("  next: {next}"));
    lines
}
