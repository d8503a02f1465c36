//! The life of one integration as lines that people read.

use serde_json::Value;

use super::report::Revoked;
use crate::command::{joined, text};

/// How wide a line may be.
const WIDTH: usize = 100;

/// The lines of one integration.
#[derive(Debug, Default)]
pub(crate) struct Chapter {
    lines: Vec<String>,
}

impl Chapter {
    /// A chapter with its title.
    pub(super) fn new(title: &str) -> Self {
        Self { lines: vec![title.to_owned()] }
    }

    /// Its lines.
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// What happened in a step.
    pub(super) fn say(&mut self, step: &str, line: impl AsRef<str>) {
        self.row(step, line.as_ref());
    }

    /// A finding: what was observed and expected, the risk, the fix, and how to repeat it by hand.
    pub(super) fn finding(&mut self, finding: &Value) {
        let sentence = format!("✘ {}: {}", text(finding, "check"), text(finding, "sentence"));
        self.row("check", &sentence);
        for name in ["observed", "expected", "risk", "fix", "repeat"] {
            let value = text(finding, name);
            if !value.is_empty() {
                self.row("", &format!("  {:<10}{value}", format!("{name}:")));
            }
        }
        self.row("", &format!("  {:<10}{}", "controls:", joined(finding, "controls")));
    }

    /// The receipt of a withdrawal.
    pub(super) fn revoked(&mut self, revoked: &Revoked) {
        for path in &revoked.paths {
            let mark = if path.state == "proven" { "✔" } else { "▲" };
            let which = format!("{} {}", path.path, path.subject);
            let line = format!("{mark} {which:<38}{:>6} ms  {}", path.ms, path.by);
            self.row("revoke", &line);
        }
        let (proven, total) = (revoked.proven, revoked.total);
        self.row("revoke", &format!("{proven} of {total} paths proven shut"));
    }

    /// A line of a step, broken where it is too long.
    fn row(&mut self, step: &str, line: &str) {
        let room = WIDTH - 12;
        let indent = line.len() - line.trim_start().len();
        let mut step = step;
        let mut current = String::new();
        for word in line.trim_start().split(' ') {
            let length = current.chars().count() + 1 + word.chars().count();
            if !current.is_empty() && room < indent + length {
                self.lines.push(format!("  {step:<10}{:indent$}{current}", ""));
                step = "";
                current = format!("  {word}");
            } else if current.is_empty() {
                word.clone_into(&mut current);
            } else {
                current.push(' ');
                current.push_str(word);
            }
        }
        self.lines.push(format!("  {step:<10}{:indent$}{current}", ""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_between_words() {
        let mut chapter = Chapter::new("acme");
        chapter.say("check", "word ".repeat(30).trim());
        chapter.say("enforce", "short");
        assert!(chapter.lines().iter().all(|it| it.chars().count() <= WIDTH), "{chapter:?}");
        insta::assert_snapshot!(chapter.lines().join("\n"), @r"
        acme
          check     word word word word word word word word word word word word word word word word word
                      word word word word word word word word word word word word word
          enforce   short
        ");
    }
}
