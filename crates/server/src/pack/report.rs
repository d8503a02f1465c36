//! What was checked, line by line, and what came of it.

use serde::Serialize;

/// What one line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// It does not verify.
    Fails,
    /// It verifies.
    Holds,
    /// It verifies, and says that the certificate is not in force.
    NotInForce,
    /// It could not be looked at: something before it does not verify, or a key is missing.
    NotChecked,
    /// It rests on the document's own word.
    OwnWord,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What: `people`.
    pub check: &'static str,
    /// What came of it.
    pub word: Word,
    /// In a sentence.
    pub text: String,
}

/// Everything that was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In the order in which it was checked.
    pub lines: Vec<Line>,
}

impl Report {
    /// Whether anything does not verify.
    pub fn fails_anywhere(&self) -> bool {
        self.has(Word::Fails)
    }

    /// Whether everything was checked, verifies, and is in force.
    pub fn holds(&self) -> bool {
        let good = |it: &Line| matches!(it.word, Word::Holds | Word::OwnWord);
        !self.lines.is_empty() && self.lines.iter().all(good)
    }

    /// Whether some line says this.
    pub fn has(&self, word: Word) -> bool {
        self.lines.iter().any(|it| it.word == word)
    }

    /// Adds a line.
    pub fn add(&mut self, check: &'static str, word: Word, text: impl Into<String>) {
        self.lines.push(Line { check, word, text: text.into() });
    }

    pub(crate) fn pass(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, Word::Holds, text);
    }

    pub(crate) fn fail(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, Word::Fails, text);
    }

    pub(crate) fn own(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, Word::OwnWord, text);
    }

    /// A line only for a failure.
    pub(crate) fn fails<T>(&mut self, check: &'static str, result: Result<T, String>) -> Option<T> {
        result.map_err(|it| self.fail(check, it)).ok()
    }

    /// A line either way.
    pub(crate) fn take<T>(
        &mut self,
        check: &'static str,
        result: Result<(T, String), String>,
    ) -> Option<T> {
        match result {
            Ok((it, text)) => {
                self.pass(check, text);
                Some(it)
            }
            Err(text) => {
                self.fail(check, text);
                None
            }
        }
    }
}
