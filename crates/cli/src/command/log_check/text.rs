//! What a log came to, for people.

use countersign_checks::log::files::Files;
use countersign_checks::log::finding::{Among, Finding, Question, Rule};
use countersign_checks::log::marks::confidence;
use countersign_checks::log::report::{Found, Report};

use super::findings::Findings;
use super::{missing, picture, shares};

pub(crate) fn text(report: &Report, files: &Files, findings: &Findings<'_>) -> Vec<String> {
    let mut lines = vec![format!("{} token requests in {} lines", report.requests, report.lines)];
    let counts = [
        (report.uses, "uses of a token"),
        (report.refused, "refused"),
        (report.revocations, "revocations"),
        (report.repeated, "delivered again, and counted once"),
        (report.aside, "lines that tell of something else"),
        (report.others, "lines of clients that this manifest does not declare"),
    ];
    lines.extend(counts.iter().filter(|it| 0 < it.0).map(|it| format!("  {} {}", it.0, it.1)));
    lines.extend(picture::strip(report));
    for (index, (name, share)) in shares(report).into_iter().enumerate() {
        // Many logs tell of requests alone, or of uses alone.
        if share.all + share.untold == 0 && (name.starts_with("used") || report.requests == 0) {
            continue;
        }
        let mark = match (share.is_whole(), share.untold) {
            (false, _) => "✘",
            (true, 0) => "✔",
            (true, _) => "!",
        };
        let untold = if share.untold == 0 {
            String::new()
        } else {
            format!(", {} do not tell", share.untold)
        };
        lines.push(format!("{mark} {:<24}{} of {}{untold}", name, share.good, share.all));
        let told = findings.told(|it| belongs(it, index));
        extend(&mut lines, &told, share.all - share.good);
    }
    for (format, reasons) in &report.untold {
        for (why, count) in reasons {
            lines.push(format!("! {:<24}{format}: {why} ({count} lines)", "not told"));
        }
    }
    let gaps = missing(report);
    let mark = if gaps == 0 { "✔" } else { "✘" };
    lines.push(format!("{mark} {:<24}gaps: {gaps}", "nothing is missing"));
    let told = findings.told(|it| it.among == Among::Log && it.rule != Rule::Unreadable);
    extend(&mut lines, &told, told.len() as u64);
    let (seen, sent) = report.canaries;
    if 0 < sent {
        let recall = confidence(seen, sent);
        lines.push(format!("  {seen} of {sent} requests of our own are in it{recall}"));
    }
    if report.cut {
        lines.push(
            "! there is more than can be kept: whether lines are missing is not known".into(),
        );
    }
    noted(&mut lines, "could not be read", &report.unreadable);
    noted(&mut lines, "times go back", &report.clock);
    noted(&mut lines, "seen for the first time", &report.firsts);
    noted(&mut lines, "declared and unused", &report.unused);
    lines.extend(report.silences.iter().map(|it| format!("  silent: {it}")));
    lines.extend(files.skipped.iter().map(|it| format!("  skipped {}", it.display())));
    lines
}

/// Whether a finding stands below the share of this place.
fn belongs(finding: &Finding, share: usize) -> bool {
    let place = match (finding.among, finding.rule.question()) {
        (Among::Requests, Question::Attributable) => 0,
        (Among::Requests, Question::TimeBounded) => 1,
        (Among::Requests, Question::Consistent) => 2,
        (Among::Uses, Question::Attributable | Question::TimeBounded) => 3,
        (Among::Uses, Question::Consistent) => 4,
        _ => return false,
    };
    place == share
}

fn noted(lines: &mut Vec<String>, name: &str, found: &Found) {
    if 0 < found.count {
        lines.push(format!("! {name:<24}{}", found.count));
        extend(lines, &found.first, found.count);
    }
}

fn extend(lines: &mut Vec<String>, shown: &[String], all: u64) {
    lines.extend(shown.iter().map(|it| format!("    {it}")));
    let rest = all.saturating_sub(shown.len() as u64);
    if 0 < rest {
        lines.push(format!("    and {rest} more; --output jsonl writes all of them"));
    }
}
