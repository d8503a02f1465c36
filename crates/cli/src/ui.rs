//! The only place that prints: data on stdout, words on stderr.

use std::io::{IsTerminal as _, Write as _};

use owo_colors::OwoColorize as _;
use serde_json::Value;

use crate::failure::Failure;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// At a terminal, unless NO_COLOR is set.
    Auto,
    /// Yes.
    Always,
    /// No.
    Never,
}

/// Where and how things are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ui {
    /// Machine-readable output.
    pub(crate) json: bool,
    /// Say nothing but data.
    pub(crate) quiet: bool,
    color: bool,
}

impl Ui {
    /// Decides about colour once.
    pub(crate) fn new(arguments: &crate::args::Arguments) -> Self {
        let crate::args::Arguments { json, quiet, .. } = *arguments;
        let color = match arguments.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => arguments.no_color.is_none() && std::io::stdout().is_terminal(),
        };
        Self { json, quiet, color }
    }

    /// Data: a line on stdout. A reader that went away is no error.
    #[expect(clippy::unused_self, reason = "whoever prints holds the right to")]
    pub(crate) fn line(self, text: impl AsRef<str>) {
        let mut out = std::io::stdout().lock();
        let _ignored = writeln!(out, "{}", text.as_ref());
    }

    /// Data: a JSON document on stdout.
    pub(crate) fn document(self, value: &Value) {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.line(text);
    }

    /// Words: a line on stderr.
    pub(crate) fn say(self, text: impl AsRef<str>) {
        if !self.quiet {
            let mut out = std::io::stderr().lock();
            let _ignored = writeln!(out, "{}", text.as_ref());
        }
    }

    /// Words for somebody who waits at a terminal: what is being done.
    pub(crate) fn working(self, text: &str) {
        if !self.json && std::io::stderr().is_terminal() {
            self.say(format!("{text} …"));
        }
    }

    /// A failure with its causes, on stderr.
    pub(crate) fn failure(self, failure: &Failure) {
        let mut out = std::io::stderr().lock();
        let _ignored = writeln!(out, "{}: {}", self.red("error"), failure.message);
        for cause in &failure.causes {
            let _ignored = writeln!(out, "  because: {cause}");
        }
        if let Some(help) = &failure.help {
            let _ignored = writeln!(out, "  help: {help}");
        }
    }

    /// In red, where colour is wanted.
    pub(crate) fn red(self, text: &str) -> String {
        if self.color { text.red().to_string() } else { text.to_owned() }
    }
}
