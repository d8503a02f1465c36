use regex::bytes::Regex;

/// What is allowed to be where it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Allow {
    /// Whether every kind of condition must hold, instead of any.
    pub(super) all: bool,
    pub(super) commits: Vec<String>,
    pub(super) paths: Vec<Regex>,
    pub(super) regexes: Vec<Regex>,
    pub(super) target: AllowTarget,
    /// In lower case.
    pub(super) stopwords: Vec<String>,
}

/// What the patterns of an allowlist are held against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum AllowTarget {
    Line,
    Match,
    #[default]
    Secret,
}

/// One match, as an allowlist sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) path: &'a str,
    pub(super) commit: Option<&'a str>,
    pub(super) text: &'a [u8],
    pub(super) matched: (usize, usize),
    pub(super) secret: (usize, usize),
}

impl Seen<'_> {
    fn target(&self, target: AllowTarget) -> &[u8] {
        let (start, end) = match target {
            AllowTarget::Line => self.line(),
            AllowTarget::Match => self.matched,
            AllowTarget::Secret => self.secret,
        };
        self.text.get(start..end).unwrap_or_default()
    }

    /// The lines of the match. Patterns often take the end of the line with them, which is no part
    /// of the next one.
    fn line(&self) -> (usize, usize) {
        let (start, mut end) = self.matched;
        while start < end && matches!(self.text.get(end - 1), Some(b'\n' | b'\r')) {
            end -= 1;
        }
        let before = self.text.get(..start).unwrap_or_default();
        let after = self.text.get(end..).unwrap_or_default();
        let from = memchr::memrchr(b'\n', before).map_or(0, |it| it + 1);
        (from, memchr::memchr(b'\n', after).map_or(self.text.len(), |it| end + it))
    }
}

impl Allow {
    pub(super) fn is_path_dependent(&self) -> bool {
        !self.paths.is_empty()
    }

    /// Whether the path alone allows all that is in the file.
    pub(super) fn allows_path(&self, path: &str) -> bool {
        let other =
            !self.regexes.is_empty() || !self.stopwords.is_empty() || !self.commits.is_empty();
        !(self.all && other) && self.paths.iter().any(|it| it.is_match(path.as_bytes()))
    }

    pub(super) fn allows(&self, seen: &Seen<'_>) -> bool {
        let conditions = [
            (!self.commits.is_empty()).then(|| self.allows_commit(seen.commit)),
            (!self.paths.is_empty())
                .then(|| self.paths.iter().any(|it| it.is_match(seen.path.as_bytes()))),
            (!self.regexes.is_empty()).then(|| {
                let target = seen.target(self.target);
                self.regexes.iter().any(|it| it.is_match(target))
            }),
            (!self.stopwords.is_empty()).then(|| {
                let secret = seen.target(AllowTarget::Secret).to_ascii_lowercase();
                let has = |word: &[u8]| secret.windows(word.len()).any(|it| it == word);
                self.stopwords.iter().any(|it| has(it.as_bytes()))
            }),
        ];
        let mut given = conditions.into_iter().flatten().peekable();
        given.peek().is_some() && if self.all { given.all(|it| it) } else { given.any(|it| it) }
    }

    fn allows_commit(&self, commit: Option<&str>) -> bool {
        commit.is_some_and(|id| self.commits.iter().any(|it| id.eq_ignore_ascii_case(it)))
    }
}
