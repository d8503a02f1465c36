//! A finding as people read it, with its place in the manifest where that is at hand.

use countersign_model::check::{Finding, Outcome, Summary};
use countersign_model::declare::Parsed;

use crate::page::beside;

/// A manifest at hand, with the name of its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) parsed: &'a Parsed,
    pub(super) file: &'a str,
}

/// How many failing records are shown; the others are in the JSON.
const DETAILS_MAX: usize = 5;

/// The finding. `target` is the integration at a server, where an exception can be asked for.
pub(super) fn lines(
    finding: &Finding,
    source: Option<Source<'_>>,
    target: Option<&str>,
) -> Vec<String> {
    let head = format!("{}[{}]: ", word(finding), name(finding));
    let mut lines = beside(&head, &finding.sentence);
    lines.extend(finding.place.as_deref().map_or_else(Vec::new, |it| place(it, source)));
    let mut row = |name: &str, text: &str| {
        if !text.trim().is_empty() {
            lines.extend(beside(&format!("   = {name:<10}"), text));
        }
    };
    if let Some(waiting) = &finding.waiting {
        row("reached:", &waiting.reached);
        row("needs:", &waiting.waits_for);
    }
    row("observed:", &finding.observed);
    for detail in finding.details.iter().take(DETAILS_MAX) {
        row("", detail);
    }
    if DETAILS_MAX < finding.details.len() {
        let more = finding.details.len() - DETAILS_MAX;
        row("", &format!("and {more} more; all of them are in --json"));
    }
    row("expected:", &finding.expected);
    row("risk:", &finding.risk);
    row("fix:", &finding.fix);
    row("repeat:", &finding.repeat);
    if let (Some(target), Some(control), true) = (target, finding.controls.first(), finding.blocks)
    {
        row("or:", &format!("countersign waiver request {target} {control} --until DATE -r WHY"));
    }
    row("controls:", &finding.controls.join(", "));
    row("source:", &finding.source);
    if let (Some(evidence), Some(_)) = (&finding.evidence, target) {
        row("evidence:", &format!("countersign evidence show {evidence}"));
    }
    lines
}

fn word(finding: &Finding) -> &'static str {
    match finding.result {
        Outcome::Fail if finding.blocks => "error",
        Outcome::Inconclusive if finding.blocks => "not judged",
        Outcome::Waiting => "waiting",
        _ => "note",
    }
}

fn name(finding: &Finding) -> String {
    let case = finding.case.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
    format!("{}{case}", finding.check)
}

/// The line of the manifest, with its value underlined; the path alone where there is no text.
pub(super) fn place(path: &str, source: Option<Source<'_>>) -> Vec<String> {
    let Some(source) = source else { return vec![format!("  --> {path}")] };
    let Some(place) = source.parsed.spans.nearest(path) else { return Vec::new() };
    let margin = " ".repeat(place.line.to_string().len());
    let caret = " ".repeat(place.column.saturating_sub(1));
    vec![
        format!("{margin}--> {}:{}:{}", source.file, place.line, place.column),
        format!("{margin} |"),
        format!("{} | {}", place.line, place.source_line),
        format!("{margin} | {caret}{}", "^".repeat(place.length.max(1))),
    ]
}

/// The counts, always with their sum.
pub(super) fn summary(summary: &Summary) -> String {
    let always = [(summary.pass, "pass"), (summary.fail, "fail")];
    let sometimes = [
        (summary.inconclusive, "not judged"),
        (summary.waiting, "waiting for time"),
        (summary.stale, "stale"),
        (summary.waived, "waived"),
        (summary.open, "open"),
        (summary.not_applicable, "not applicable"),
    ];
    let counts = always.into_iter().chain(sometimes.into_iter().filter(|(n, _)| 0 < *n));
    let words: Vec<String> = counts.map(|(n, word)| format!("{n} {word}")).collect();
    format!("{}   of {} controls", words.join("   "), summary.total)
}

#[cfg(test)]
mod tests {
    use countersign_model::check::verdict::Progress;

    use super::*;

    fn finding() -> Finding {
        Finding {
            check: "refuses_unsigned_webhook".to_owned(),
            case: Some("WHK-01".to_owned()),
            controls: vec!["CTS-WHK-01".to_owned()],
            subject: "hook:ticket-events".to_owned(),
            result: Outcome::Fail,
            blocks: true,
            severity: "critical".to_owned(),
            sentence: "a webhook without a signature took effect".to_owned(),
            observed: "200, and the canary moved from state 1 to state 2".to_owned(),
            expected: "a refusal, and no effect".to_owned(),
            risk: "Anybody who knows the address acts as the platform.".to_owned(),
            fix: "Verify the signature before anything else.".to_owned(),
            repeat: "curl -d @body https://acme.example/id".to_owned(),
            source: "Standard Webhooks, section 3".to_owned(),
            place: Some("webhook[0].signing".to_owned()),
            details: (1..=7).map(|it| format!("delivery {it}")).collect(),
            waiting: None,
            evidence: None,
            maps: Vec::new(),
        }
    }

    #[test]
    fn a_finding_says_what_was_seen_and_what_to_do() {
        insta::assert_snapshot!(lines(&finding(), None, Some("acme")).join("\n"), @r"
        error[refuses_unsigned_webhook WHK-01]: a webhook without a signature took effect
          --> webhook[0].signing
           = observed: 200, and the canary moved from state 1 to state 2
           =           delivery 1
           =           delivery 2
           =           delivery 3
           =           delivery 4
           =           delivery 5
           =           and 2 more; all of them are in --json
           = expected: a refusal, and no effect
           = risk:     Anybody who knows the address acts as the platform.
           = fix:      Verify the signature before anything else.
           = repeat:   curl -d @body https://acme.example/id
           = or:       countersign waiver request acme CTS-WHK-01 --until DATE -r WHY
           = controls: CTS-WHK-01
           = source:   Standard Webhooks, section 3
        ");
    }

    #[test]
    fn the_first_word_says_how_it_counts() {
        let progress = Progress { reached: "day 9 of 14".into(), waits_for: "time".into() };
        let table = [
            (Outcome::Fail, true, "error"),
            (Outcome::Fail, false, "note"),
            (Outcome::Inconclusive, true, "not judged"),
            (Outcome::Waiting, true, "waiting"),
        ];
        for (result, blocks, expected) in table {
            let waiting = (result == Outcome::Waiting).then(|| progress.clone());
            let it = Finding { result, blocks, waiting, ..finding() };
            assert_eq!(word(&it), expected, "{result:?} {blocks}");
        }
    }

    #[test]
    fn counts_have_their_sum() {
        let counted = Summary { pass: 15, fail: 3, waiting: 1, total: 19, ..Summary::default() };
        assert_eq!(summary(&counted), "15 pass   3 fail   1 waiting for time   of 19 controls");
    }
}
