//! Rules that need more than one value, or more than a type can say.
//!
//! They are about set-up: a manifest that breaks one cannot be judged. What could be judged and is
//! only bad (an identity without a way to revoke it) is a finding of a check, not an error here.

mod addresses;
mod lengths;
mod references;
mod texts;

use super::code::PreflightCode;
use super::manifest::{Environment, Manifest};
use super::{Diagnostic, Parsed};

pub use references::{REVOKE_WORDS, TRIGGERS};

/// Everything that keeps a manifest from being judged, in the order of its text.
pub fn validate(parsed: &Parsed) -> Vec<Diagnostic> {
    let mut rules = Rules { parsed, found: Vec::new() };
    references::check(&mut rules);
    texts::check(&mut rules);
    lengths::check(&mut rules);
    addresses::check(&mut rules);
    let mut found = rules.found;
    found.sort_by_key(|it| it.place.as_ref().map(|place| (place.line, place.column)));
    found
}

/// The manifest and what was found so far.
struct Rules<'a> {
    parsed: &'a Parsed,
    found: Vec<Diagnostic>,
}

impl<'a> Rules<'a> {
    fn manifest(&self) -> &'a Manifest {
        &self.parsed.manifest
    }

    fn in_production(&self) -> bool {
        self.manifest().environment == Environment::Production
    }

    /// Adds a finding at the place of `path`.
    fn add(
        &mut self,
        code: PreflightCode,
        path: &str,
        message: impl AsRef<str>,
    ) -> &mut Diagnostic {
        let place = self.parsed.spans.nearest(path);
        let index = self.found.len();
        self.found.push(Diagnostic::new(code, path, message).at(place));
        &mut self.found[index]
    }

    /// Adds a finding when `result` is an error.
    fn must<T, E: std::fmt::Display>(&mut self, path: &str, result: Result<T, E>) {
        if let Err(error) = result {
            self.add(PreflightCode::WrongValue, path, format!("`{path}`: {error}"));
        }
    }
}
