//! What both checks conclude alike.

use countersign_model::check::{Judgement, Transcript};
use serde_json::Value;

use super::material::{IMAGE, LOG, MANIFEST, PUBLISHED, REPOSITORY};

/// A text of a fact.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// The findings that weigh something.
pub(super) fn findings(transcript: &Transcript) -> Vec<&Value> {
    let all = transcript.facts("finding").map(|it| &it.value);
    all.filter(|it| text(it, "weight") != "low").collect()
}

/// A failure over these findings.
pub(super) fn failed(what: &str, found: &[&Value], expected: &str) -> Judgement {
    let Some(first) = found.first() else { return Judgement::fail(what) };
    let judgement = Judgement::fail(format!("{what} {}", whereabouts(first)))
        .observed(match found.len() {
            1 => line(first),
            count => format!("{}; {count} in all", line(first)),
        })
        .expected(expected)
        .details(found.iter().map(|it| line(it)))
        .repeat(repeat(first));
    let place = text(first, "place");
    if place.is_empty() { judgement } else { judgement.at(place) }
}

fn whereabouts(finding: &Value) -> &'static str {
    let is_old = finding.get("commit").is_some_and(Value::is_string);
    match text(finding, "kind") {
        REPOSITORY if is_old => "lies in the history of its source",
        REPOSITORY => "lies in its source",
        IMAGE => "lies in an image",
        PUBLISHED => "is published",
        LOG => "lies in its log",
        _ => "stands in the manifest",
    }
}

fn line(finding: &Value) -> String {
    let commit = finding.get("commit").and_then(Value::as_str);
    let commit = commit.map(|it| format!(", commit {}", it.get(..12).unwrap_or(it)));
    format!(
        "{} (`{}`) in {}, line {}{}",
        text(finding, "what"),
        text(finding, "rule"),
        text(finding, "file"),
        number(finding, "line"),
        commit.unwrap_or_default(),
    )
}

fn repeat(finding: &Value) -> String {
    let (file, at) = (text(finding, "file"), number(finding, "line"));
    match (text(finding, "kind"), finding.get("commit").and_then(Value::as_str)) {
        (REPOSITORY, Some(commit)) if file.starts_with('(') => format!("git show {commit}"),
        (REPOSITORY, Some(commit)) => format!("git show {commit}:{file} | sed -n {at}p"),
        (PUBLISHED, _) => format!("curl -s {}", text(finding, "in")),
        _ => format!("sed -n {at}p {file}"),
    }
}

/// Why nothing can be concluded although nothing was found; none when all of it was read.
pub(super) fn unread(transcript: &Transcript) -> Option<Judgement> {
    if transcript.settings.get("source_missing") == Some(&Value::Bool(true)) {
        let sentence = "the profile wants the source, and the manifest declares none";
        return Some(Judgement::inconclusive(sentence).observed("no `[source]`").at("source"));
    }
    let missing: Vec<&Value> = transcript.facts("unavailable").map(|it| &it.value).collect();
    if let Some(first) = missing.first() {
        let lines = missing.iter().map(|it| format!("{}: {}", text(it, "name"), text(it, "error")));
        let lines: Vec<String> = lines.collect();
        let sentence = format!("{} could not be looked at", text(first, "name"));
        let judgement = Judgement::inconclusive(sentence)
            .observed(lines.first().cloned().unwrap_or_default())
            .details(lines);
        let place = text(first, "place");
        return Some(if place.is_empty() { judgement } else { judgement.at(place) });
    }
    let partly: Vec<&Value> = looked(transcript).filter(|it| !is_complete(it)).collect();
    if let Some(first) = partly.first() {
        let named = |it: &Value| -> Vec<String> {
            let all = it.get("left_out_named").and_then(Value::as_array);
            let all = all.into_iter().flatten().filter_map(Value::as_str);
            all.map(|left| format!("{}: {left}", text(it, "name"))).collect()
        };
        let details: Vec<String> = partly.iter().flat_map(|it| named(it)).collect();
        let observed = match details.first() {
            Some(one) => one.clone(),
            None => format!("{} holds nothing", text(first, "name")),
        };
        let sentence = format!("{} was not read to its end", text(first, "name"));
        return Some(
            Judgement::inconclusive(sentence)
                .observed(observed)
                .at(text(first, "place"))
                .details(details),
        );
    }
    if !looked(transcript).any(is_theirs) {
        let sentence = "nothing of the partner's could be looked at beside its manifest";
        return Some(Judgement::inconclusive(sentence).observed(read(transcript)));
    }
    None
}

/// What was read, in words: `1 repository (4 commits, 5 files), 1 published document, 2 logs (0 bytes)`.
pub(super) fn read(transcript: &Transcript) -> String {
    let mut words = Vec::new();
    for (kind, plural) in [
        (REPOSITORY, "repositories"),
        (IMAGE, "images"),
        (PUBLISHED, "published documents"),
        (LOG, "logs"),
    ] {
        let all: Vec<&Value> = looked(transcript).filter(|it| text(it, "kind") == kind).collect();
        let sum = |name| all.iter().map(|it| number(it, name)).sum::<u64>();
        let more = match kind {
            REPOSITORY => format!(" ({} commits, {} files)", sum("commits"), sum("files")),
            IMAGE => format!(" ({} files)", sum("files")),
            LOG => format!(" ({} bytes)", sum("length")),
            _ => String::new(),
        };
        match all.len() {
            0 => {}
            1 => words.push(format!("1 {kind}{more}")),
            count => words.push(format!("{count} {plural}{more}")),
        }
    }
    if transcript.settings.get("source_declared") != Some(&Value::Bool(true)) {
        words.push("no source is declared".to_owned());
    }
    format!("read: {}", if words.is_empty() { "nothing".to_owned() } else { words.join(", ") })
}

fn looked(transcript: &Transcript) -> impl Iterator<Item = &Value> {
    transcript.facts("looked").map(|it| &it.value)
}

/// An empty repository or image is none.
fn is_complete(looked: &Value) -> bool {
    let is_empty = match text(looked, "kind") {
        REPOSITORY => number(looked, "commits") == 0,
        IMAGE => number(looked, "files") == 0,
        _ => false,
    };
    looked.get("complete") == Some(&Value::Bool(true)) && !is_empty
}

/// Whether it comes from the partner, and holds something.
fn is_theirs(looked: &Value) -> bool {
    match text(looked, "kind") {
        MANIFEST => false,
        LOG => 0 < number(looked, "length"),
        _ => true,
    }
}
