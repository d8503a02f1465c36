//! Console files: what people type on a stage, and what they read, with what differs from run to run taken out.
//!
//! ```text
//! # A comment.
//! pat$ countersign submit manifests/acme-helpdesk.toml
//! submitted  acme-helpdesk …
//! eventually sandbox$ countersign sandbox business acme-helpdesk --lane trial -n 1
//! [exit 3]
//! ```
//!
//! `eventually` tries again until the exit is 0, `settled` until nothing waits for time,
//! `until:WORD` until the word is read. `{pln}` stands for the last plan's id that was read, `{digest}` for the last plan's digest.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use regex::Regex;

use crate::staged::Staged;

/// How often `eventually` tries: a stage answers within a second, a busy machine later.
const TRIES_MAX: u32 = 200;
/// Lines that are indented this far go on with the line before.
const WRAPPED: usize = 12;
/// How the details of a finding begin.
const MORE: &str = "   =           ";
/// What is left of them.
const MORE_SAME: &str = "   =           …";

/// What was read so far that later commands name.
#[derive(Debug, Default)]
pub(crate) struct Memory(BTreeMap<String, String>);

impl Memory {
    fn learn(&mut self, output: &str) {
        let ids = Regex::new(r"\b(asm|crt|dec|ev|pln|rev|wvr)_[0-9A-Za-z]+").unwrap();
        for found in ids.captures_iter(output) {
            self.0.insert(found[1].to_owned(), found[0].to_owned());
        }
        let digest = Regex::new(r"--digest (sha256:[0-9a-f]{64})").unwrap();
        for found in digest.captures_iter(output) {
            self.0.insert("digest".to_owned(), found[1].to_owned());
        }
    }

    fn fill(&self, word: &str) -> String {
        let mut word = word.to_owned();
        for (name, value) in &self.0 {
            word = word.replace(&format!("{{{name}}}"), value);
        }
        word
    }
}

/// Runs every command of a console file, and writes the file anew from what happened.
pub(crate) fn play(stage: &Staged, memory: &mut Memory, file: &str) -> String {
    let mut played = String::new();
    for line in file.lines() {
        if line.starts_with('#') || (line.is_empty() && played.is_empty()) {
            writeln!(played, "{line}").unwrap();
            continue;
        }
        let eventually = line.strip_prefix("eventually ");
        let settled = line.strip_prefix("settled ");
        let awaited = line.strip_prefix("until:").and_then(|it| it.split_once(' '));
        let typed = eventually.or(settled).or(awaited.map(|it| it.1)).unwrap_or(line);
        let Some((who, command)) = typed.split_once("$ countersign") else {
            continue;
        };
        if who.contains(' ') {
            continue;
        }
        let words: Vec<String> = words(command).iter().map(|it| memory.fill(it)).collect();
        let mut tries = 0;
        let output = loop {
            let output = stage.run(who, &words);
            tries += 1;
            let shows = |text: &str| String::from_utf8_lossy(&output.stdout).contains(text);
            let again = eventually.is_some() && !output.status.success()
                || settled.is_some() && shows("waiting[")
                || awaited.is_some_and(|(word, _)| !shows(word));
            if !again || TRIES_MAX <= tries {
                break output;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        };
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            without_progress(&String::from_utf8_lossy(&output.stderr))
        );
        memory.learn(&said);
        writeln!(played, "{line}").unwrap();
        for line in same(stage, &said).lines() {
            writeln!(played, "{}", line.trim_end()).unwrap();
        }
        match output.status.code() {
            Some(0) => {}
            Some(code) => writeln!(played, "[exit {code}]").unwrap(),
            None => writeln!(played, "[killed]").unwrap(),
        }
    }
    played
}

/// Without the lines that tell how far a run is: which check ends first differs.
fn without_progress(text: &str) -> String {
    let progress = Regex::new(r"(?m)^  [0-9]+ of [0-9]+  [0-9a-z_]+ .*\n?").unwrap();
    progress.replace_all(text, "").into_owned()
}

/// The words of a command line; double quotes keep spaces.
fn words(command: &str) -> Vec<String> {
    let pattern = Regex::new(r#""([^"]*)"|(\S+)"#).unwrap();
    let found = pattern.captures_iter(command);
    found.map(|it| it.get(1).or_else(|| it.get(2)).unwrap().as_str().to_owned()).collect()
}

/// Wrapped lines in one: where a line is broken depends on how long its figures are.
fn joined(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        match lines.last_mut() {
            Some(last) if line.starts_with(MORE) && last.starts_with(MORE) => {
                // How many lines a finding shows differs; that it shows some does not.
                MORE_SAME.clone_into(last);
            }
            Some(last) if WRAPPED <= indent && !line.trim().is_empty() => {
                if last != MORE_SAME {
                    last.push(' ');
                    last.push_str(line.trim());
                }
            }
            _ if line.starts_with(MORE) => lines.push(MORE_SAME.to_owned()),
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// Takes out what differs from run to run.
fn same(stage: &Staged, text: &str) -> String {
    let mut text = joined(&text.replace(&stage.folder().display().to_string(), "STAGE"));
    for (pattern, by) in [
        (r"\b(asm|crt|dec|drl|ev|int|per|pln|rev|wvr)_[0-9A-Za-z]{8,}", "${1}_…"),
        (r"sha256:[0-9a-f]{64}", "sha256:…"),
        (r"\b[0-9a-f]{4,8}…[0-9a-f]*", "HEX"),
        (r"\b\d{1,2} [A-Z][a-z]{2} \d{4}( \d\d:\d\d:\d\d)?", "TIME"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r"\[(mail|secret|token|key) [0-9a-f]{16}\]", "[$1 …]"),
        (r"\b[0-9a-f]{24,}\b", "HEX"),
        (r"\bmsg_[0-9a-f]+", "msg_…"),
        (r"copy-[0-9a-f]+", "copy-…"),
        (r"canary-[0-9a-f]{8,}", "canary-…"),
        (r"127\.0\.0\.1:\d+", "HOST"),
        (r" *\b\d+(\.\d+)? ?ms\b", " … ms"),
        (r" *\b\d+\.\d+ s\b", " … s"),
        (r"\bentry \d+", "entry …"),
        (r"\bcommit [0-9a-f]{7,40}\b", "commit HEX"),
        (r"\bgit show [0-9a-f]{40}", "git show HEX"),
        (r"(webhook-timestamp: )\d+", "${1}N"),
        (r"(webhook-id: )[^']+", "${1}ID"),
        (r"(v1a?,)[A-Za-z0-9+/=]+", "${1}SIGNATURE"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, by).into_owned();
    }
    let lines = text.lines().map(|line| {
        // How much a partner did until it was looked at differs; what is said about it does not.
        let counted = [
            "observed:",
            "error[",
            "waiting[",
            "reached:",
            "entries",
            "bytes written",
            "pieces are",
            "judged again",
        ];
        if counted.iter().any(|it| line.contains(it)) {
            Regex::new(r"\d+").unwrap().replace_all(line, "N").into_owned()
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}
