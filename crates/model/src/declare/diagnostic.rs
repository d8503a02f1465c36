//! What is wrong with a manifest or a set-up, where, and how it is mended.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::code::PreflightCode;
use super::secret_like::mask;

/// One reason why nothing was judged.
///
/// Texts that look like secrets are masked on the way in, so a diagnostic can be shown to anyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The code: `PRE-003`.
    pub code: PreflightCode,
    /// What is wrong: lowercase, no full stop.
    pub message: String,
    /// Where in the manifest: `identity[0].scope[1].name`; empty for the whole of it.
    pub path: String,
    /// Where in the text, when it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What stands beside the carets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Other places that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What else there is to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A stretch of one line of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The first character, from 1.
    pub column: usize,
    /// How many characters, at least 1.
    pub length: usize,
    /// The whole line, secrets masked, cut at 200 characters.
    pub source_line: String,
}

/// Another place that belongs to a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Also {
    /// Where.
    pub place: Place,
    /// What is there: `first used here`.
    pub label: String,
}

/// Said once below all diagnostics.
pub const SETUP_NOTE: &str =
    "no check ran. This is about set-up, not about the security of your integration.";

impl Diagnostic {
    /// A diagnostic without a place.
    pub fn new(code: PreflightCode, path: impl Into<String>, message: impl AsRef<str>) -> Self {
        Self {
            code,
            message: mask(message.as_ref()).into_owned(),
            path: mask(&path.into()).into_owned(),
            place: None,
            label: None,
            also: Vec::new(),
            help: None,
            note: None,
        }
    }

    /// The same, with what to do.
    pub fn with_help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(mask(help.as_ref()).into_owned());
        self
    }

    /// The same, with words beside the carets.
    pub fn with_label(mut self, label: impl AsRef<str>) -> Self {
        self.label = Some(mask(label.as_ref()).into_owned());
        self
    }

    /// The same, with what else there is to know.
    pub fn with_note(mut self, note: impl AsRef<str>) -> Self {
        self.note = Some(mask(note.as_ref()).into_owned());
        self
    }

    /// The same, at a place.
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// The same, with a second place.
    pub fn and_at(mut self, place: Option<Place>, label: &str) -> Self {
        self.also.extend(place.map(|place| Also { place, label: label.to_owned() }));
        self
    }

    /// As text for people, with the line and carets below it. `file` is the manifest's name.
    pub fn render(&self, file: &str) -> String {
        let mut out = format!("not judged[{}]: {}\n", self.code, self.message);
        let deepest =
            self.also.iter().map(|it| it.place.line).chain(self.place.iter().map(|it| it.line));
        let width = deepest.max().unwrap_or_default().to_string().len();
        let mut blank = String::new();
        if let Some(place) = &self.place {
            show(&mut out, file, place, (width, self.label.as_deref().unwrap_or_default()));
            blank = format!("{:width$} |\n", "");
        } else if !self.path.is_empty() {
            line(&mut out, format_args!("{:width$}--> {file}: {}", "", self.path));
        }
        for also in &self.also {
            show(&mut out, file, &also.place, (width, &also.label));
        }
        if self.help.is_some() || self.note.is_some() {
            out.push_str(&blank);
        }
        for (name, text) in [("fix:", &self.help), ("note:", &self.note)] {
            if let Some(text) = text {
                line(&mut out, format_args!("{:width$} = {name:<9} {text}", ""));
            }
        }
        out
    }
}

/// All of them as text for people, and once below them that no check ran.
pub fn render_all(diagnostics: &[Diagnostic], file: &str) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&diagnostic.render(file));
        out.push('\n');
    }
    line(&mut out, format_args!("   = note:     {SETUP_NOTE}"));
    out
}

fn show(out: &mut String, file: &str, place: &Place, (width, label): (usize, &str)) {
    line(out, format_args!("{:width$}--> {file}:{}:{}", "", place.line, place.column));
    if place.source_line.trim().is_empty() {
        return;
    }
    line(out, format_args!("{:width$} |", ""));
    line(out, format_args!("{:>width$} | {}", place.line, place.source_line.trim_end()));
    let shown = place.source_line.chars().count();
    if place.column <= shown + 1 {
        let carets = "^".repeat(place.length.clamp(1, (shown + 1 - place.column).max(1)));
        let before = " ".repeat(place.column - 1);
        let text = format!("{:width$} | {before}{carets} {label}", "");
        line(out, format_args!("{}", text.trim_end()));
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _infallible = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        let source_line = "max_token_tll = \"10m\"".to_owned();
        Place { line: 32, column: 1, length: 13, source_line }
    }

    #[test]
    fn a_place_is_shown_with_its_line() {
        let diagnostic = Diagnostic::new(
            PreflightCode::UnknownKey,
            "identity[0].max_token_tll",
            "unknown key `max_token_tll` in `[[identity]]`",
        )
        .at(Some(place()))
        .with_label("did you mean `max_token_ttl`?");
        insta::assert_snapshot!(diagnostic.render("countersign.toml"), @r#"
        not judged[PRE-003]: unknown key `max_token_tll` in `[[identity]]`
          --> countersign.toml:32:1
           |
        32 | max_token_tll = "10m"
           | ^^^^^^^^^^^^^ did you mean `max_token_ttl`?
        "#);
    }

    #[test]
    fn a_second_place_help_and_note_follow() {
        let second =
            Place { line: 7, column: 6, length: 4, source_line: "id = \"a:b\"".to_owned() };
        let diagnostic =
            Diagnostic::new(PreflightCode::Duplicate, "event[1].id", "id `a:b` is used twice")
                .at(Some(place()))
                .and_at(Some(second), "first used here")
                .with_help("give one of them another name")
                .with_note("an id names one path of the certificate");
        insta::assert_snapshot!(render_all(&[diagnostic], "countersign.toml"), @r#"
        not judged[PRE-007]: id `a:b` is used twice
          --> countersign.toml:32:1
           |
        32 | max_token_tll = "10m"
           | ^^^^^^^^^^^^^
          --> countersign.toml:7:6
           |
         7 | id = "a:b"
           |      ^^^^ first used here
           |
           = fix:      give one of them another name
           = note:     an id names one path of the certificate

           = note:     no check ran. This is about set-up, not about the security of your integration.
        "#);
    }

    #[test]
    fn without_a_place_the_path_is_shown() {
        let diagnostic = Diagnostic::new(
            PreflightCode::Unreachable,
            "identity[0].jwks",
            "https://a.example/jwks answered 404",
        );
        insta::assert_snapshot!(diagnostic.render("countersign.toml"), @r"
        not judged[PRE-002]: https://a.example/jwks answered 404
         --> countersign.toml: identity[0].jwks
        ");
    }
}
