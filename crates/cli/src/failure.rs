//! Why a command could not do its work, with the exit that it means.

use crate::exit::Exit;

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit that it means.
    pub(crate) exit: Exit,
    /// What is the matter.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
    /// What each lower layer said.
    pub(crate) causes: Vec<String>,
}

impl Failure {
    /// A failure with this exit.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: None, causes: Vec::new() }
    }

    /// With what to do.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// With what the lower layers said.
    pub(crate) fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// A file could not be read or written.
    pub(crate) fn file(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(Exit::Broken, format!("could not {action} `{}`", path.display())).because(error)
    }
}

/// What a command returns.
pub(crate) type Outcome = Result<Exit, Failure>;
