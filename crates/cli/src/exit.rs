//! Exit codes: one table for all commands.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done, allowed, verified, proven.
    Yes,
    /// Unexpected failure of the tool.
    Broken,
    /// Wrong flag or argument.
    Usage,
    /// A verdict was reached and it is negative.
    No,
    /// Sign in, or you may not.
    Who,
    /// Preflight or manifest invalid; nothing was decided.
    NotJudged,
    /// The plan is stale, somebody changed it.
    Moved,
    /// A signature, the log or evidence does not verify.
    Integrity,
    /// Accepted, not finished: waiting for a person, for time, or for proof on a path.
    Pending,
    /// A needed source cannot be reached; any answer shown may be stale.
    Unreachable,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::Yes,
        Self::Broken,
        Self::Usage,
        Self::No,
        Self::Who,
        Self::NotJudged,
        Self::Moved,
        Self::Integrity,
        Self::Pending,
        Self::Unreachable,
        Self::Interrupted,
    ];

    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::Broken => 1,
            Self::Usage => 2,
            Self::No => 3,
            Self::Who => 4,
            Self::NotJudged => 5,
            Self::Moved => 6,
            Self::Integrity => 7,
            Self::Pending => 8,
            Self::Unreachable => 9,
            Self::Interrupted => 130,
        }
    }

    /// The word: `not judged`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Broken => "broken",
            Self::Usage => "usage",
            Self::No => "no",
            Self::Who => "who",
            Self::NotJudged => "not judged",
            Self::Moved => "moved",
            Self::Integrity => "integrity",
            Self::Pending => "pending",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit of a word, for `--exit-zero-on`.
    pub(crate) fn from_word(word: &str) -> Result<Self, String> {
        let words: Vec<&str> = Self::ALL.iter().map(|it| it.word()).collect();
        let known = Self::ALL.into_iter().find(|it| it.word() == word);
        known.ok_or_else(|| format!("not one of {}", words.join(", ")))
    }

    /// The exit that a refusal means: its HTTP status and the word in its problem document.
    ///
    /// Not everything that stands in the way moved: a missing approval is waited for, and what was
    /// decided against is a no.
    pub(crate) fn from_problem(status: u16, code: &str) -> Self {
        match (status, code) {
            (200..=299, _) => Self::Yes,
            (401 | 403, _) | (422, "bad-signature") => Self::Who,
            (409, "drilling" | "not-approved" | "not-assessed" | "outside-hours") => Self::Pending,
            (409, "ended" | "not-ready" | "refused" | "revoked" | "suspended") => Self::No,
            (409 | 412, _) => Self::Moved,
            (422, "environment" | "manifest-invalid" | "profile") => Self::NotJudged,
            (400 | 404 | 405 | 413 | 415 | 422, _) => Self::Usage,
            (408 | 502..=504, _) => Self::Unreachable,
            _ => Self::Broken,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_apart_by_its_word() {
        let table = [
            (401, "sign-in", Exit::Who),
            (403, "requester", Exit::Who),
            (404, "unknown", Exit::Usage),
            (409, "moved", Exit::Moved),
            (409, "not-approved", Exit::Pending),
            (409, "outside-hours", Exit::Pending),
            (409, "not-ready", Exit::No),
            (409, "revoked", Exit::No),
            (409, "a-word-of-tomorrow", Exit::Moved),
            (422, "manifest-invalid", Exit::NotJudged),
            (422, "waiver", Exit::Usage),
            (422, "bad-signature", Exit::Who),
            (500, "broken", Exit::Broken),
            (502, "unreachable", Exit::Unreachable),
        ];
        for (status, code, expected) in table {
            assert_eq!(Exit::from_problem(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn each_exit_has_its_own_number_and_word() {
        let table: Vec<String> =
            Exit::ALL.iter().map(|it| format!("{} {}", it.code(), it.word())).collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        0 yes
        1 broken
        2 usage
        3 no
        4 who
        5 not judged
        6 moved
        7 integrity
        8 pending
        9 unreachable
        130 interrupted
        ");
    }
}
